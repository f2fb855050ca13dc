/**
 * Batches: what is in one, when it may leave, which epoch it belongs to. Nothing is encoded before there is a link with
 * room for it, so that what waits can still be merged; what was encoded is the link's to resend byte for byte.
 */
import { encodeMessage } from '../wire/encode';
import { WIRE_LIMITS } from '../wire/limits';
import {
  type BatchMessage,
  type DictionaryMessage,
  type StatusTuple,
  TAG_BATCH,
  TAG_DICTIONARY,
} from '../wire/schema';
import type { Dictionary } from './dictionary';
import type { Feed } from './feed';
import type { Link } from './link';
import type { Outgoing } from './outgoing';
import type { WindowQueue } from './window-queue';

/** Room that must be left before a batch is built, bytes. */
const BATCH_ROOM_BYTES = 64 * 1024;

export type ShipperHost = {
  link: Link;
  dictionary: Dictionary;
  feed: Feed;
  outgoing: Outgoing;
  windows: WindowQueue;
  /** The status since the last batch; null when it was taken already. */
  takeStatus(): StatusTuple | null;
  /** The last moment in which dictionary ids mean something. */
  onEpochEnds(): void;
  /** Dictionary ids are void from here on. */
  onNewEpoch(): void;
};

export class Shipper {
  epoch = 1;
  #sequence = 0;
  #startMicros: number;

  constructor(
    readonly host: ShipperHost,
    nowMicros: number,
  ) {
    this.#startMicros = nowMicros;
  }

  get lastSequence(): number {
    return this.#sequence - 1;
  }

  dictionary(): DictionaryMessage {
    return [TAG_DICTIONARY, this.epoch, this.host.dictionary.taken(), this.host.feed.toldSeries()];
  }

  /** Sends what there is, or leaves it where it is; also requests that ended later than said. */
  flush(nowMicros: number, requestsUntilMicros = Number.POSITIVE_INFINITY): void {
    const { link, outgoing, dictionary, feed, windows } = this.host;
    feed.releaseRequests(requestsUntilMicros);
    feed.countLosses(nowMicros);
    outgoing.lost('dictionary-full', dictionary.overflowCount, nowMicros);
    dictionary.overflowCount = 0;
    if (link.roomBytes < BATCH_ROOM_BYTES || (this.#epochEnds && link.unacknowledgedCount > 0)) return;
    do {
      this.#send(nowMicros);
    } while (windows.length > 0 && link.roomBytes >= BATCH_ROOM_BYTES);
  }

  /** Everything sent is acknowledged: the moment in which nothing anywhere speaks in the ids of this epoch. */
  acknowledged(): void {
    const { windows, outgoing } = this.host;
    if (this.#epochEnds && windows.length === 0 && !outgoing.hasNews) this.newEpoch();
  }

  /** Begins again with empty tables. What still waits in the old ids must have gone, or is lost. */
  newEpoch(): void {
    const { dictionary, feed, link } = this.host;
    this.host.onEpochEnds();
    dictionary.clear();
    feed.clear();
    this.host.onNewEpoch();
    this.epoch++;
    this.#sequence = 0;
    link.redial();
  }

  /** The tables are nearly full: send all, wait for its acknowledgement, begin anew. */
  get #epochEnds(): boolean {
    return this.host.dictionary.nearlyFull || this.host.feed.nearlyFull;
  }

  #send(nowMicros: number): void {
    const { link, outgoing, dictionary, feed, windows } = this.host;
    const tuples = windows.take(WIRE_LIMITS.windowsPerBatch / 2);
    const series = feed.takeNewSeries();
    const message: BatchMessage = [
      TAG_BATCH,
      this.epoch,
      this.#sequence,
      this.#startMicros,
      nowMicros,
      dictionary.takeNew(),
      tuples,
      series,
      feed.takeValues(),
      outgoing.takeEvents(),
      outgoing.takeLosses(),
      this.host.takeStatus(),
    ];
    this.#startMicros = nowMicros;
    const ticks = tuples.reduce((sum, [, , , count]) => sum + count, 0);
    link.send(this.#sequence++, encodeMessage(message), ticks);
  }
}
