/**
 * A reporter that names the tests which failed at first and passed when they were run once more: machines that others use
 * as well do that to tests of running programs, and so do tests that are not sound. test/summary.mjs tells them at the end.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export default class Retried {
  #names = [];

  /** file: where the list goes, JSON. */
  constructor(file) {
    this.file = file;
  }

  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky === true)
      this.#names.push(`${test.module.relativeModuleId} > ${test.fullName}`);
  }

  onTestRunEnd() {
    for (const name of this.#names) console.log(`passed when it was run once more: ${name}`);
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify(this.#names));
  }
}
