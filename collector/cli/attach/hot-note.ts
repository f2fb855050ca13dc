/** What the agent says at its start of code that was hot before: a tail shows it only where it was open by then. */
import { printable } from '../../profile/printable';
import { tailUrl } from '../collector-url';
import { givenToken } from '../given-token';
import { TailClient } from '../tail-client';

const BEGINNING = 'What ran hot';
const COMES_WITHIN_MILLIS = 3000;

export class HotNote {
  readonly #client: TailClient;
  #text: string | null = null;
  #onText: () => void = () => {};

  /** Listens from now on. */
  constructor(pid: number, service: string | undefined) {
    const token = givenToken(() => {});
    this.#client = new TailClient(
      tailUrl(undefined, { service }),
      {
        line: (line) => {
          if (line.type !== 'notice' || !line.instance.endsWith(`:${pid}`)) return;
          if (!line.text.startsWith(BEGINNING)) return;
          this.#text = printable(line.text);
          this.#onText();
        },
        trouble() {},
        failed() {},
      },
      token,
    );
  }

  /** null where nothing of it comes in the first seconds, or no collector answers. */
  async text(): Promise<string | null> {
    if (this.#text === null && this.#client.reached)
      await new Promise<void>((done) => {
        const late = setTimeout(done, COMES_WITHIN_MILLIS);
        this.#onText = () => {
          clearTimeout(late);
          done();
        };
      });
    return this.#text;
  }

  close(): void {
    this.#client.close();
  }
}
