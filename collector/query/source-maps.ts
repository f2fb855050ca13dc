/**
 * The source maps of agents' scripts. They lie where the agent runs, so the agent is asked: once for every script
 * whether it names a map, then for the maps that are not known yet. Whoever wants a profile mapped waits until a
 * deadline; what comes later is there for the next one.
 */
import type { Agent } from '../ingest/agents';
import type { Profile } from '../profile/profile';
import { describeMapped, mappedProfile, scriptsOf } from '../profile/source-map/mapped-profile';
import { SourceMap } from '../profile/source-map/source-map';
import { SourceMapError } from '../profile/source-map/source-map-error';
import { SourceMapCache } from './source-map-cache';

/** mapFile: on the agent's machine. version: the same for the same content. */
type MapPlace = { mapFile: string; version: string };
/** A place, why there is none although the script names one, or null: it names none. */
type Answer = { found: MapPlace | string | null; untilMillis: number };

/** How long an answer holds; that a script names none holds for as long as the agent runs. */
const PLACE_MILLIS = 10 * 60_000;
const REASON_MILLIS = 60_000;
/** What an agent replies that knows nothing of source maps. */
const STATUS_UNKNOWN = 404;
const COLLECT_MILLIS = 15_000;
/** An agent takes messages of 8 KiB. */
const REQUEST_CHARS_MAX = 6000;
const SCRIPTS_PER_REQUEST = 256;
const SCRIPTS_MAX = 20_000;
const NAME_CHARS_MAX = 4096;
const REASON_CHARS_MAX = 120;
const LATE = 'not there in time';

export class SourceMaps {
  #nowMillis: () => number;
  #cache: SourceMapCache;
  #answers = new WeakMap<Agent, Map<string, Answer>>();
  #loading = new Map<string, Promise<SourceMap | string>>();

  constructor(nowMillis: () => number, cache = new SourceMapCache(nowMillis)) {
    this.#nowMillis = nowMillis;
    this.#cache = cache;
  }

  /** The profile, which must be of this agent alone, by the names of its sources; resolves at the deadline at the latest. */
  async mapped(agent: Agent, profile: Profile, deadlineMillis: number): Promise<Profile> {
    const files = scriptsOf(profile);
    if (files.length === 0) return profile;
    const maps = new Map<string, SourceMap | string | null>(files.map((file) => [file, LATE]));
    await within(this.#load(agent, files, maps), deadlineMillis - this.#nowMillis());
    const mapped = mappedProfile(profile, (file) => maps.get(file) ?? null);
    const { service, instance } = agent.instance;
    const text = describeMapped(mapped.counts);
    if (text !== '') mapped.profile.head.comments.push(`${service} ${instance}: source maps: ${text}`);
    return mapped.profile;
  }

  /** Fills `maps` as the answers come. */
  async #load(
    agent: Agent,
    files: readonly string[],
    maps: Map<string, SourceMap | string | null>,
  ): Promise<void> {
    const answers = this.#answersOf(agent);
    const now = this.#nowMillis();
    const unknown = files.filter((file) => (answers.get(file)?.untilMillis ?? 0) <= now);
    for (const scripts of requestsOf(unknown)) await this.#ask(agent, scripts, answers);
    await Promise.all(
      files.map(async (file) => {
        const found = answers.get(file)?.found;
        if (found === undefined) return;
        maps.set(
          file,
          typeof found === 'object' && found !== null ? await this.#mapOf(agent, file, found) : found,
        );
      }),
    );
  }

  #answersOf(agent: Agent): Map<string, Answer> {
    let answers = this.#answers.get(agent);
    if (answers === undefined || answers.size > SCRIPTS_MAX) {
      answers = new Map();
      this.#answers.set(agent, answers);
    }
    return answers;
  }

  async #ask(agent: Agent, scripts: readonly string[], answers: Map<string, Answer>): Promise<void> {
    if (agent.link === null) return;
    const collected = await agent.link.collect(`source-maps?${queryOf(scripts)}`, COLLECT_MILLIS);
    const { code } = collected.reply;
    if (code !== 0 && code !== STATUS_UNKNOWN) return;
    const list = code === 0 ? listIn(collected.bytes) : [];
    const now = this.#nowMillis();
    for (const [index, script] of scripts.entries()) {
      const found = foundIn(list[index]);
      const holdsMillis =
        found === null ? Number.POSITIVE_INFINITY : typeof found === 'string' ? REASON_MILLIS : PLACE_MILLIS;
      answers.set(script, { found, untilMillis: now + holdsMillis });
    }
  }

  /** Each map is fetched once, whoever wants it. */
  async #mapOf(agent: Agent, script: string, { mapFile, version }: MapPlace): Promise<SourceMap | string> {
    const key = `${agent.instance.service}\n${mapFile}\n${version}`;
    const kept = this.#cache.get(key);
    if (kept !== null) return kept;
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#fetch(agent, script, mapFile, key).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #fetch(agent: Agent, script: string, mapFile: string, key: string): Promise<SourceMap | string> {
    if (agent.link === null) return 'the agent is gone';
    try {
      const { reply, bytes } = await agent.link.collect(`source-map?${queryOf([script])}`, COLLECT_MILLIS);
      const map = reply.code === 0 ? mapIn(bytes, mapFile) : reasonOf(reply.text);
      this.#cache.put(key, map);
      return map;
    } catch (error) {
      return reasonOf((error as Error).message);
    }
  }
}

/** Scripts in as few requests as they fit in; one with an endless name is left out. */
function requestsOf(scripts: readonly string[]): string[][] {
  const requests: string[][] = [];
  let room = 0;
  for (const script of scripts) {
    const chars = queryOf([script]).length + 1;
    if (chars > REQUEST_CHARS_MAX) continue;
    if (room < chars || requests.at(-1)!.length === SCRIPTS_PER_REQUEST) {
      requests.push([]);
      room = REQUEST_CHARS_MAX;
    }
    requests.at(-1)!.push(script);
    room -= chars;
  }
  return requests;
}

function queryOf(scripts: readonly string[]): string {
  return scripts.map((script) => `script=${encodeURIComponent(script)}`).join('&');
}

function listIn(bytes: Uint8Array): unknown[] {
  try {
    const list: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

function foundIn(entry: unknown): MapPlace | string | null {
  if (typeof entry === 'string') return reasonOf(entry);
  if (typeof entry !== 'object' || entry === null) return null;
  const { mapFile, version } = entry as Record<string, unknown>;
  return isName(mapFile) && isName(version) ? { mapFile, version } : null;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= NAME_CHARS_MAX;
}

function mapIn(bytes: Uint8Array, mapFile: string): SourceMap | string {
  try {
    return new SourceMap(Buffer.from(bytes).toString('utf8'), mapFile);
  } catch (error) {
    if (error instanceof SourceMapError) return reasonOf(error.message);
    throw error;
  }
}

function reasonOf(text: string): string {
  return text.slice(0, REASON_CHARS_MAX);
}

/** Resolves when the work is done, has failed, or the time is over. */
function within(work: Promise<void>, millis: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, millis));
    const finish = () => {
      clearTimeout(timer);
      resolve();
    };
    work.then(finish, finish);
  });
}
