/** The demo's stall: a word index over all orders, rebuilt in one go on the main thread. */
import type { OrderBook } from './order-book';

const STALL_MILLIS = 350;

export class SearchIndex {
  #idsByWord = new Map<string, number[]>();

  find(word: string): readonly number[] {
    return this.#idsByWord.get(word) ?? [];
  }

  /** Blocks for STALL_MILLIS, whatever the machine: it goes over the orders again until the time is up. */
  rebuildSearchIndex(book: OrderBook): void {
    const untilMillis = performance.now() + STALL_MILLIS;
    while (performance.now() < untilMillis) this.#idsByWord = indexWords(book);
  }
}

function indexWords(book: OrderBook): Map<string, number[]> {
  const idsByWord = new Map<string, number[]>();
  for (const { id, note } of book.all()) {
    for (const word of note.split(' ')) {
      const ids = idsByWord.get(word);
      if (ids === undefined) idsByWord.set(word, [id]);
      else ids.push(id);
    }
  }
  return idsByWord;
}
