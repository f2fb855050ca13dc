/**
 * goroutine: live asynchronous resources by the stack that made them, as many as there are now. With `seconds`, how many
 * more or fewer: then promises and waits are followed meanwhile, where they may be; where hooks are off, it is by type
 * alone. debug=2 lists them one by one, as Go lists goroutines.
 */
import { setTimeout as after } from 'node:timers/promises';
import { AsyncBit } from '../../../assembly/layout';
import { fileOf, functionName } from '../../../collector/profile/frame';
import { Profile } from '../../../collector/profile/profile';
import { rootNode, StackNodes } from '../../../collector/profile/stack-nodes';
import { ownerLabels } from '../../../collector/profile/tick-profile';
import type { LiveResource } from '../async-page';
import type { AsyncWatch } from '../async-watch';
import { callSiteOf } from '../call-site';
import { asyncComments } from './async-comments';
import { family, stateOf } from './async-kind';
import type { ProfileContext } from './context';
import { type ProfileSource, TakeError, type TakeRequest } from './source';

/** Resources without a stack: older than the hooks, or made where no JavaScript runs. */
const OLDER_FRAME = '(made before hooks were on)';
const HOOKS_OFF_FRAME = '(made while hooks are off)';
export const NO_STACK_FRAME = '(no JavaScript stack)';
/** A request without seconds, where hooks are off: they are on for so long before the answer, and stay on a while, µs. */
const FIRST_LOOK_MICROS = 2e6;
const STAY_MICROS = 10e6;
/** A delta's window is a little longer than the time asked for, µs. */
const MARGIN_MICROS = 1e6;
const STATUS_BUSY = 503;
const STATUS_OFF = 404;
/** What debug=2 lists at the most. */
const ITEMS_MAX = 5000;
const TEXT_CHARS_MAX = 8 * 1024 * 1024;

export function goroutineSource(context: ProfileContext): ProfileSource {
  /** Whether hooks were on in a request's first take: its second one counts the same. */
  const hooked = new WeakMap<TakeRequest, boolean>();
  const ready = async (request: TakeRequest): Promise<AsyncWatch> => {
    const watch = watchOf(context);
    if (!hooked.has(request)) {
      await openFor(watch, request);
      hooked.set(request, (watch.state & AsyncBit.Hooks) !== 0);
    }
    await watch.look();
    return watch;
  };
  return {
    take: async (request) => {
      const watch = await ready(request);
      if (request.seconds > 0 && hooked.get(request) === false) return typesProfile(context, watch);
      return liveProfile(context, watch, request.seconds === 0);
    },
    describe: async (request) => liveText(context, await ready(request)),
  };
}

export function watchOf({ async: watch }: ProfileContext): AsyncWatch {
  if (watch !== null) return watch;
  throw new TakeError(STATUS_OFF, 'asynchronous resources are not followed: RINGTAIL_ASYNC=off');
}

async function openFor(watch: AsyncWatch, request: TakeRequest): Promise<void> {
  const { seconds, signal } = request;
  if (seconds > 0) return openWindow(watch, seconds * 1e6 + MARGIN_MICROS, request, AsyncBit.Hooks);
  if ((watch.state & AsyncBit.Hooks) !== 0) return;
  await openWindow(watch, FIRST_LOOK_MICROS + STAY_MICROS, request, AsyncBit.Hooks);
  if ((watch.state & AsyncBit.Hooks) !== 0) await after(FIRST_LOOK_MICROS / 1000, undefined, { signal });
}

/** Rejects where windows have had their share of the time, unless what is needed is on anyway. */
export async function openWindow(
  watch: AsyncWatch,
  micros: number,
  { proven, signal }: Pick<TakeRequest, 'proven' | 'signal'>,
  needed: AsyncBit,
): Promise<void> {
  if ((await watch.open(micros, proven, signal)) || (watch.state & needed) !== 0) return;
  throw new TakeError(
    STATUS_BUSY,
    'without the token asynchronous resources are followed for one minute in two: ask for less than 60 seconds, or later',
  );
}

function emptyProfile(context: ProfileContext, watch: AsyncWatch): Profile {
  return new Profile({
    sampleTypes: [{ type: 'goroutine', unit: 'count' }],
    periodType: { type: 'goroutine', unit: 'count' },
    period: 1,
    startMillis: Date.now(),
    durationNanos: 0,
    program: context.identity.service,
    comments: asyncComments(watch, context.nowMicros()),
  });
}

/** How many the runtime itself counts: all that is known without hooks. */
function typesProfile(context: ProfileContext, watch: AsyncWatch): Profile {
  const profile = emptyProfile(context, watch);
  const owner = ownerLabels(context.identity, 0);
  for (const [type, count] of watch.page.active()) {
    const labels = profile.labelSet([...owner, 'type', type, 'state', 'active']);
    profile.add(rootNode(profile, HOOKS_OFF_FRAME), labels, [count]);
  }
  return profile;
}

/** older: with those that no stack is known of, because they were there before. */
function liveProfile(context: ProfileContext, watch: AsyncWatch, older: boolean): Profile {
  const { page } = watch;
  const profile = emptyProfile(context, watch);
  const owner = ownerLabels(context.identity, 0);
  const nodes = new StackNodes(profile, page);
  const sites = new Map<number, number>();
  const known = new Known();
  for (const resource of page.live()) {
    const { stack, weight } = resource;
    let site = sites.get(stack);
    if (site === undefined) {
      site = callSiteOf(page, stack);
      sites.set(stack, site);
    }
    const labels = profile.labelSet([...owner, 'type', resource.type, 'state', stateOf(resource)]);
    profile.add(site === 0 ? rootNode(profile, NO_STACK_FRAME) : nodes.of(site), labels, [weight]);
    known.add(resource);
  }
  for (const [type, count] of older ? page.active() : []) {
    const missing = known.missingOf(type, count);
    if (missing === 0) continue;
    const labels = profile.labelSet([...owner, 'type', type, 'state', 'active']);
    profile.add(rootNode(profile, OLDER_FRAME), labels, [missing]);
  }
  return profile;
}

/** How many of each type are followed, to tell those that are not. */
class Known {
  readonly #counts = new Map<string, number>();

  add({ type, weight }: LiveResource): void {
    const name = family(type);
    const before = this.#counts.get(name) ?? 0;
    // An estimate says nothing of a few.
    this.#counts.set(name, weight > 1 ? Number.POSITIVE_INFINITY : before + weight);
  }

  missingOf(type: string, active: number): number {
    return Math.max(0, active - (this.#counts.get(family(type)) ?? 0));
  }
}

/** As runtime.Stack writes goroutines: the oldest first. */
function liveText(context: ProfileContext, watch: AsyncWatch): string {
  const { page } = watch;
  const now = context.nowMicros();
  const all = [...page.live()].sort((left, right) => left.id - right.id);
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  const lines = [
    `# ${total} live asynchronous resources, ${all.length} of them listed with their stacks`,
    ...[...watch.findings, ...context.listeners.findings].map((finding) => `# suspicious: ${finding}`),
    ...asyncComments(watch, now).map((comment) => `# ${comment}`),
    ...[...page.active()].map(([type, count]) => `# active now: ${count} ${type}`),
    '',
  ];
  const stacks = new Map<number, string>();
  let chars = 0;
  let items = 0;
  for (const resource of all) {
    if (items >= ITEMS_MAX || chars > TEXT_CHARS_MAX) break;
    let stack = stacks.get(resource.stack);
    if (stack === undefined) {
      stack = stackText(watch, resource.stack);
      stacks.set(resource.stack, stack);
    }
    const item = `goroutine ${resource.id} [${headOf(resource, now)}]:\n${stack}`;
    lines.push(item);
    chars += item.length;
    items++;
  }
  if (items < all.length) lines.push(`# and ${all.length - items} more: debug=1 has them by stack`);
  return `${lines.join('\n')}\n`;
}

function headOf(resource: LiveResource, nowMicros: number): string {
  const { type, delayMillis, weight, createdMicros } = resource;
  const timer = delayMillis > 0 ? ` ${delayMillis} ms` : '';
  const stands = weight > 1 ? `, one of about ${weight}` : '';
  return `${type}, ${stateOf(resource)}${timer}, ${ageText(nowMicros - createdMicros)}${stands}`;
}

function ageText(micros: number): string {
  const seconds = Math.max(0, Math.round(micros / 1e6));
  if (seconds < 120) return `${seconds} seconds`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}

/** Leaf first, Node's own functions too. */
function stackText({ page }: AsyncWatch, stack: number): string {
  let text = stack === 0 ? `${NO_STACK_FRAME}\n` : '';
  for (let id = stack; id !== 0; id = page.parentOf(id)) {
    const entry = page.functionOf(id);
    text += `${functionName(entry)}(...)\n\t${fileOf(entry.url) || '(native)'}:${page.lineOf(id)}\n`;
  }
  return text;
}
