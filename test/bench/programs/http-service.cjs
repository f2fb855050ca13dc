/** An HTTP service of one route that works about a millisecond on each request: a seeded document is read, sorted and written. */
const { createServer } = require('node:http');

const ROWS = 400;

const text = JSON.stringify(
  Array.from({ length: ROWS }, (_, id) => ({ id, name: `row ${id}`, weight: (id * 7919) % 1009 })),
);
const server = createServer((_request, response) => {
  const rows = JSON.parse(text);
  rows.sort((one, other) => one.weight - other.weight);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(rows.slice(0, ROWS / 2)));
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit(0));
