/** Reads profile.proto back, plainly: the oracle for the writer. */

type Field = { number: number; varint: bigint; bytes: Uint8Array };

export type ReadProfile = {
  sampleTypes: string[];
  periodType: string;
  period: number;
  durationNanos: number;
  timeNanos: bigint;
  comments: string[];
  defaultSampleType: string;
  files: string[];
  labels: Set<string>;
  functions: { name: string; systemName: string; file: string; startLine: number }[];
  samples: { frames: { name: string; line: number }[]; values: number[]; labels: string[] }[];
  mapping: { file: string; flags: number };
  /** Root-first folded stacks by name, summed up, of one value. */
  folded(valueIndex: number): Map<string, number>;
};

export function readPprof(bytes: Uint8Array): ReadProfile {
  const fields = [...fieldsOf(bytes)];
  const strings = fields
    .filter(({ number }) => number === 6)
    .map((field) => Buffer.from(field.bytes).toString());
  const text = (id: bigint | number) => strings[Number(id)] ?? `?${id}`;
  const one = (number: number) => fields.find((field) => field.number === number);
  const typeOf = (field: Field) => {
    const parts = mapOf(field.bytes);
    return `${text(parts.get(1) ?? 0n)}/${text(parts.get(2) ?? 0n)}`;
  };
  const functions = new Map(
    fields
      .filter(({ number }) => number === 5)
      .map((field) => {
        const parts = mapOf(field.bytes);
        const [name, systemName, file] = [2, 3, 4].map((number) => text(parts.get(number) ?? 0n));
        const startLine = Number(parts.get(5) ?? 0n);
        return [parts.get(1)!, { name: name!, systemName: systemName!, file: file!, startLine }] as const;
      }),
  );
  const locations = new Map(
    fields
      .filter(({ number }) => number === 4)
      .map((field) => {
        const line = [...fieldsOf(field.bytes)].find(({ number }) => number === 4)!;
        const parts = mapOf(line.bytes);
        const called = functions.get(parts.get(1)!)!;
        return [mapOf(field.bytes).get(1)!, { name: called.name, line: Number(parts.get(2) ?? 0n) }] as const;
      }),
  );
  const samples = fields
    .filter(({ number }) => number === 2)
    .map((field) => {
      const parts = [...fieldsOf(field.bytes)];
      const frames = varintsOf(parts.find(({ number }) => number === 1)?.bytes ?? new Uint8Array()).map(
        (id) => locations.get(id)!,
      );
      const values = varintsOf(parts.find(({ number }) => number === 2)!.bytes).map((value) =>
        Number(BigInt.asIntN(64, value)),
      );
      const labels = parts
        .filter(({ number }) => number === 3)
        .map((label) => {
          const pair = mapOf(label.bytes);
          return `${text(pair.get(1)!)}=${text(pair.get(2)!)}`;
        });
      return { frames: frames.reverse(), values, labels };
    });
  const mapping = mapOf(one(3)!.bytes);
  return {
    sampleTypes: fields.filter(({ number }) => number === 1).map(typeOf),
    periodType: typeOf(one(11)!),
    period: Number(one(12)?.varint ?? 0n),
    durationNanos: Number(one(10)?.varint ?? 0n),
    timeNanos: one(9)!.varint,
    comments: fields.filter(({ number }) => number === 13).map(({ varint }) => text(varint)),
    defaultSampleType: text(one(14)?.varint ?? 0n),
    files: [...new Set([...functions.values()].map(({ file }) => file))],
    labels: new Set(samples.flatMap((sample) => sample.labels)),
    functions: [...functions.values()],
    samples,
    mapping: {
      file: text(mapping.get(5) ?? 0n),
      flags: [7, 8, 9, 10].filter((flag) => mapping.get(flag) === 1n).length,
    },
    folded: (valueIndex) => {
      const totals = new Map<string, number>();
      for (const { frames, values } of samples) {
        const stack = frames.map(({ name }) => name).join(';');
        totals.set(stack, (totals.get(stack) ?? 0) + values[valueIndex]!);
      }
      return totals;
    },
  };
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('protobuf ends early');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value = varint();
    if (wire === 0) {
      yield { number: tag >> 3, varint: value, bytes: new Uint8Array() };
    } else {
      if (wire !== 2 || at + Number(value) > bytes.length)
        throw new Error(`bad field ${tag >> 3}, wire type ${wire}`);
      yield { number: tag >> 3, varint: 0n, bytes: bytes.subarray(at, at + Number(value)) };
      at += Number(value);
    }
  }
}

function mapOf(bytes: Uint8Array): Map<number, bigint> {
  return new Map([...fieldsOf(bytes)].map(({ number, varint }) => [number, varint]));
}

function varintsOf(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      values.push(value);
      value = 0n;
      shift = 0n;
    }
  }
  return values;
}
