/** The process of one row: measures it and sends the results to run.mjs. */
import { AssertionError } from 'node:assert';
import { pathToFileURL } from 'node:url';

const { measure } = await import(pathToFileURL(process.argv[2]).href);
try {
  process.send({ rows: await measure() });
} catch (error) {
  const wrong = error instanceof AssertionError;
  process.send({
    rows: [],
    wrong,
    failure: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}
process.disconnect();
