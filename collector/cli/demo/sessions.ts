/** The demo's leak: sessions are kept and never ended. It starts over at a ceiling, so that a long demo stays alive. */
const SESSION_NUMBERS = 2000;
const SESSIONS_MAX = 12_000;

type Session = { id: number; visits: number[] };

export class Sessions {
  readonly #leaked: Session[] = [];

  get size(): number {
    return this.#leaked.length;
  }

  leakSession(id: number): void {
    if (this.#leaked.length >= SESSIONS_MAX) this.#leaked.length = 0;
    this.#leaked.push({ id, visits: Array.from({ length: SESSION_NUMBERS }, (_, i) => id + i) });
  }
}
