/**
 * A reporter that names the tests which failed at first and passed when they were run once more, and why they failed:
 * machines that others use as well do that to tests of running programs, and so do tests that are not sound.
 * test/summary.mjs tells them at the end.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Of a failure's message: what was expected and what was got. */
const MESSAGE_MAX = 400;

export default class Retried {
  #lines = [];

  /** file: where the list goes, JSON. */
  constructor(file) {
    this.file = file;
  }

  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky !== true) return;
    const reasons = (test.result().errors ?? []).map(({ message }) => message.slice(0, MESSAGE_MAX));
    this.#lines.push([`${test.module.relativeModuleId} > ${test.fullName}`, ...reasons].join('\n  '));
  }

  onTestRunEnd() {
    for (const line of this.#lines) console.log(`passed when it was run once more: ${line}`);
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify(this.#lines));
  }
}
