/** HELLO, GOODBYE, REPLY and DATA: from decoded tuples to own types. */
import { WIRE_VERSION } from '../../agent/wire/schema';
import type { Instance } from '../store/batch';
import { Fields } from './fields';
import { WireError } from './wire-error';

export type Hello = { epoch: number; nonce: Uint8Array; proof: Uint8Array; instance: Instance };
export type Goodbye = { epoch: number; lastSequence: number; reason: string };
export type Reply = { requestId: number; code: number; t0Micros: number; text: string };
export type Data = { requestId: number; bytes: Uint8Array };

const EPOCH_MAX = 2 ** 32 - 1;

/** Throws a WireError; ERR_WIRE_VERSION is found before anything else is looked at. */
export function decodeHello(message: readonly unknown[]): Hello {
  if (message[1] !== WIRE_VERSION) {
    const spoken = typeof message[1] === 'number' ? message[1] : 'an unknown version';
    throw new WireError(
      'ERR_WIRE_VERSION',
      `agent speaks wire version ${spoken}, this collector ${WIRE_VERSION}: install the same ringtail on both sides`,
    );
  }
  const fields = new Fields(message, 'hello', 7, 2);
  const agentId = Buffer.from(fields.bytes('agent id', 16)).toString('hex');
  const epoch = fields.integer('epoch', EPOCH_MAX);
  const nonce = fields.bytes('nonce', 16);
  const proof = fields.bytes('proof', 32);
  return { epoch, nonce, proof, instance: decodeIdentity(fields.raw(), agentId) };
}

function decodeIdentity(tuple: unknown, agentId: string): Instance {
  const fields = new Fields(tuple, 'identity', 13);
  const instance: Instance = {
    agentId,
    service: fields.text('service'),
    instance: fields.text('instance'),
    host: fields.text('host'),
    pid: fields.integer('pid'),
    nodeVersion: fields.text('node version'),
    agentVersion: fields.text('agent version'),
    labels: fields.labels('labels'),
    anchorWallMillis: fields.number('anchor wall'),
    anchorMicros: fields.number('anchor'),
    startWallMillis: fields.number('start wall'),
    periodMicros: fields.number('period'),
    core: fields.text('core'),
    environment: fields.labels('environment'),
  };
  if (instance.service === '' || instance.instance === '') {
    throw new WireError('ERR_WIRE_MESSAGE', 'identity: service and instance must not be empty');
  }
  return instance;
}

export function decodeGoodbye(message: readonly unknown[]): Goodbye {
  const fields = new Fields(message, 'goodbye', 4, 1);
  return {
    epoch: fields.integer('epoch', EPOCH_MAX),
    lastSequence: fields.integer('last sequence', Number.MAX_SAFE_INTEGER, -1),
    reason: fields.text('reason'),
  };
}

export function decodeReply(message: readonly unknown[]): Reply {
  const fields = new Fields(message, 'reply', 5, 1);
  return {
    requestId: fields.integer('request id'),
    code: fields.integer('code', EPOCH_MAX),
    t0Micros: fields.number('t0'),
    text: fields.text('text'),
  };
}

export function decodeData(message: readonly unknown[]): Data {
  const fields = new Fields(message, 'data', 3, 1);
  return { requestId: fields.integer('request id'), bytes: fields.bytes('bytes') };
}
