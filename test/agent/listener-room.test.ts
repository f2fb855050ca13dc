import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenerRoom } from '../../agent/listener-room';

const warnings: string[] = [];
const onWarning = ({ name, message }: Error) => warnings.push(`${name} ${message}`);
process.on('warning', onWarning);
afterEach(() => warnings.splice(0));

async function warned(hostListeners: number, withOurs: boolean, before = (_: EventEmitter) => {}) {
  const emitter = new EventEmitter();
  const room = new ListenerRoom(emitter, ['exit']);
  before(emitter);
  if (withOurs) {
    room.make();
    emitter.on('exit', () => {});
  }
  for (let listener = 0; listener < hostListeners; listener++) emitter.on('exit', () => {});
  await new Promise((done) => setImmediate(done));
  return { emitter, room, warned: warnings.length > 0 };
}

describe('the room for one more listener', () => {
  it.each([9, 10, 11, 12])('changes nothing in who is warned: %d listeners of the host', async (count) => {
    const bare = await warned(count, false);
    warnings.splice(0);
    expect((await warned(count, true)).warned).toBe(bare.warned);
  });

  it('is the limit unchanged until a host reaches it, and after it was given back', async () => {
    const { emitter, room } = await warned(9, true);
    expect(emitter.getMaxListeners()).toBe(10);
    emitter.on('exit', () => {});
    expect(emitter.getMaxListeners()).toBe(11);
    room.giveBack();
    expect([emitter.getMaxListeners(), emitter.listenerCount('newListener')]).toEqual([10, 0]);
  });

  it('keeps a limit that the host sets', async () => {
    const { emitter, room } = await warned(10, true);
    emitter.setMaxListeners(20);
    room.giveBack();
    expect(emitter.getMaxListeners()).toBe(20);
    const unlimited = await warned(30, true, (fresh) => fresh.setMaxListeners(0));
    expect([unlimited.warned, unlimited.emitter.getMaxListeners()]).toEqual([false, 0]);
  });

  it('follows the default limit of all emitters', async () => {
    const { defaultMaxListeners } = EventEmitter;
    try {
      const lifted = await warned(20, true, () => {
        EventEmitter.defaultMaxListeners = 50;
      });
      expect(lifted.warned).toBe(false);
    } finally {
      EventEmitter.defaultMaxListeners = defaultMaxListeners;
    }
  });
});
