/** JSON in and out as a program of fixed work: argv[2] rounds of parsing, changing and writing a seeded document. */
const assert = require('node:assert');
const { runWork } = require('./fixed-work.cjs');

const ROWS = 2000;

const rounds = Number(process.argv[2]);
let text = JSON.stringify(
  Array.from({ length: ROWS }, (_, id) => ({
    id,
    name: `row ${id}`,
    tags: ['a', 'b', 'c'],
    at: { x: id / 3, y: 0 },
  })),
);
runWork(() => {
  for (let round = 0; round < rounds; round++) text = touch(text);
  assert.equal(JSON.parse(text)[1].at.y, rounds);
});

function touch(before) {
  const rows = JSON.parse(before);
  for (const row of rows) {
    row.at.y++;
    row.tags.reverse();
  }
  return JSON.stringify(rows);
}
