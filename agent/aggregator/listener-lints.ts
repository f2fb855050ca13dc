/** Emitters that Node has warned of: each kind is told when it comes first, and every ten minutes how many came since. */

const TELL_AGAIN_MICROS = 600e6;
const KINDS_MAX = 64;

type Kind = { count: number; told: number; toldAtMicros: number };

export class ListenerLints {
  readonly #note: (text: string) => void;
  readonly #kinds = new Map<string, Kind>();
  #others = 0;

  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /** A sentence for each kind. */
  get findings(): string[] {
    const found = [...this.#kinds].map(([text, { count }]) => findingText(text, count));
    return this.#others === 0 ? found : [...found, findingText('of other kinds', this.#others)];
  }

  /** text: Node's own. */
  add(text: string, nowMicros: number): void {
    const kind = this.#kinds.get(text);
    if (kind !== undefined) kind.count++;
    else if (this.#kinds.size < KINDS_MAX) {
      this.#kinds.set(text, { count: 1, told: 1, toldAtMicros: nowMicros });
      this.#note(findingText(text, 1));
    } else this.#others++;
  }

  everySecond(nowMicros: number): void {
    for (const [text, kind] of this.#kinds) {
      if (kind.count === kind.told || nowMicros - kind.toldAtMicros < TELL_AGAIN_MICROS) continue;
      kind.told = kind.count;
      kind.toldAtMicros = nowMicros;
      this.#note(findingText(text, kind.count));
    }
  }
}

/** Node says which emitter, which event, how many listeners. */
function findingText(text: string, count: number): string {
  const times = count === 1 ? '' : ` (${count} such emitters)`;
  return `listeners become more and none is removed${times}: ${text}`;
}
