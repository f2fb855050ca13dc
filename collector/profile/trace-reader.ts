/**
 * Trace event JSON (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), as Chrome DevTools,
 * `node --trace-event-categories` and ringtail itself write it: a list of events, or an object with one.
 *
 * Where V8's profiler is in it (Profile and ProfileChunk events), its samples are the profile, a thread a label. A trace
 * tells no hit counts, so each of V8's records counts as one. Else the slices are (X, or B and E): each one's own time,
 * without that of the slices within it, by its track. Everything else (counters, instants, overlapping spans) is no stack
 * and is passed over.
 */
import { profileOfV8 } from './cpuprofile';
import { type JsonRecord, listOf, recordOf } from './json-value';
import type { Profile } from './profile';
import { broken } from './profile-error';
import { checkCount, PROFILE_ENTRIES_MAX } from './profile-limits';
import { ChunkedProfile } from './trace-profile';
import { profileOfSlices } from './trace-slice-profile';
import { EndedSlices } from './trace-slices';
import { TRACE_FORMAT, TrackNames, trackIdOf } from './trace-tracks';
import { typeName } from './value-type';

const MICROS = 1000;

export function isTrace(json: unknown): boolean {
  return Array.isArray(json) || (typeof json === 'object' && json !== null && 'traceEvents' in json);
}

export function decodeTrace(json: unknown): Profile {
  const list = Array.isArray(json) ? json : recordOf(TRACE_FORMAT, 'the file', json).traceEvents;
  const events = listOf(TRACE_FORMAT, 'traceEvents', list);
  checkCount(TRACE_FORMAT, 'events', events.length, PROFILE_ENTRIES_MAX);
  const names = new TrackNames();
  const profiles = new Map<string, ChunkedProfile>();
  const slices = new EndedSlices();
  for (const entry of events) {
    const event = recordOf(TRACE_FORMAT, 'an event', entry);
    if (event.ph === 'M') names.read(event);
    else if (event.ph === 'P') addChunk(profiles, event);
    else if (event.ph === 'X' || event.ph === 'B' || event.ph === 'E') slices.read(event);
  }
  // A profile that was begun and has no samples hides no slices.
  const isSampled = [...profiles.values()].some(({ sampleCount }) => sampleCount > 0);
  if (isSampled || (profiles.size > 0 && slices.count === 0)) {
    const profile = profileOfV8(
      [...profiles.values()].map((chunks) => chunks.read(names, profiles.size > 1)),
    );
    if (!Array.isArray(json)) measureAsDrawn(profile, (json as JsonRecord).otherData);
    return profile;
  }
  if (slices.count > 0) return profileOfSlices(slices.tracks(), names);
  throw broken(TRACE_FORMAT, 'there are neither samples nor slices in it');
}

/** What ringtail drew a profile of, and what a µs of the drawing is worth: its values again. */
function measureAsDrawn(profile: Profile, other: unknown): void {
  if (typeof other !== 'object' || other === null) return;
  const { sampleType, valuePerMicro } = other as JsonRecord;
  if (typeof sampleType !== 'string' || typeof valuePerMicro !== 'number' || !(valuePerMicro > 0)) return;
  const slash = sampleType.lastIndexOf('/');
  const [ticks, time] = profile.head.sampleTypes;
  const type = { type: sampleType.slice(0, slash), unit: sampleType.slice(slash + 1) };
  if (slash < 0 || typeName(type) === typeName(ticks!)) return;
  profile.head.sampleTypes = [ticks!, type];
  profile.head.periodType = time!;
  for (let at = 1; at < profile.values.length; at += 2)
    profile.values[at] = Math.round((profile.values[at]! / MICROS) * valuePerMicro);
}

function addChunk(profiles: Map<string, ChunkedProfile>, event: JsonRecord): void {
  if (event.name !== 'Profile' && event.name !== 'ProfileChunk') return;
  const key = `${trackIdOf('pid', event.pid)} ${trackIdOf('id', event.id)}`;
  let profile = profiles.get(key);
  if (profile === undefined) {
    profile = new ChunkedProfile();
    profiles.set(key, profile);
  }
  profile.add(event);
}
