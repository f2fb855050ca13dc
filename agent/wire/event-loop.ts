/** The event loop on the wire: the series that tell of it beside its delay, and how stalls are counted. */

/** Counters: turns of the loop, events its poll gave, and how many of those had been waiting when it asked. */
export const SERIES_LOOP_TURNS = 'nodejs.eventloop.turns';
export const SERIES_LOOP_EVENTS = 'nodejs.eventloop.events';
export const SERIES_LOOP_EVENTS_WAITING = 'nodejs.eventloop.events_waiting';

/** Counter of stalls by LABEL_TIER: the highest tier that the stall reached. */
export const SERIES_STALLS = 'nodejs.eventloop.stalls';
export const LABEL_TIER = 'tier';
export const STALL_TIERS_MILLIS = [50, 200, 1000] as const;

/** The tier's value of LABEL_TIER. */
export function tierName(tierMillis: number): string {
  return tierMillis < 1000 ? `${tierMillis}ms` : `${tierMillis / 1000}s`;
}

/** b of EVENT_STALL: the stall was shorter than what the program calls a hang (stallMillis). */
export const STALL_BRIEF = 1;
