/** Sums up the result files of a folder in one line, "N passed, N failed", and names what failed, with its message, and what passed only when it was run again; exits with 1 when a test failed, was skipped in CI, or none ran. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** More of them than that are no accident. */
const RETRIED_MAX = 20;

/** Of a failure's message: enough to see what was got, short enough that the last page of a log holds them all. */
const MESSAGE_MAX = 600;

const folder = process.argv[2];
let passed = 0;
let failed = 0;
let skipped = 0;
let retried = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  for (const name of JSON.parse(readFileSync(join(folder, file), 'utf8'))) {
    retried++;
    console.log(
      `${file.replace(/^retried-(.*)\.txt$/, 'Node $1')}: failed once, passed when run again: ${name}`,
    );
  }
}
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const results = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  skipped += results.numPendingTests + results.numTodoTests;
  const broken = results.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
  );
  failed += broken.length;
  const line = file.replace(/^node-(.*)\.json$/, 'Node $1');
  for (const suite of broken) {
    console.log(`${line}: failed: ${suite.name}: ${String(suite.message).slice(0, MESSAGE_MAX)}`);
  }
  for (const test of results.testResults.flatMap((suite) => suite.assertionResults)) {
    if (test.status !== 'failed') continue;
    console.log(
      `${line}: failed: ${test.fullName}: ${test.failureMessages.join('\n').slice(0, MESSAGE_MAX)}`,
    );
  }
  console.log(
    `${file}: ${results.numPassedTests} passed, ${results.numFailedTests + broken.length} failed, ${results.numPendingTests} skipped`,
  );
}
console.log(`${retried} tests passed only when they were run again, of at most ${RETRIED_MAX}`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode =
  failed > 0 || retried > RETRIED_MAX || passed === 0 || (process.env.CI !== undefined && skipped > 0)
    ? 1
    : 0;
