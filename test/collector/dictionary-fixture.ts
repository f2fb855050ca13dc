/** Dictionary tuples from plain lists, for tests that need one of their own making. */
import { encodeDictionary } from '../../agent/wire/dictionary';
import type { DictionaryTuple } from '../../agent/wire/schema';

export type PlainDictionary = {
  strings?: string[];
  /** Name id, url id, line, column. */
  functions?: [number, number, number, number][];
  /** Parent, function, line. */
  stacks?: [number, number, number][];
};

/** The entries behind the first `from` of each list. */
export function dictionaryOf(
  { strings = [], functions = [], stacks = [] }: PlainDictionary,
  from: { strings?: number; functions?: number; stacks?: number } = {},
): DictionaryTuple {
  const none = [0, 0, 0, 0];
  const functionAt = (id: number) => functions[id - 1] ?? none;
  const stackAt = (id: number) => stacks[id - 1] ?? none;
  return encodeDictionary(
    {
      string: (id) => strings[id - 1] ?? '',
      nameIdOf: (id) => functionAt(id)[0]!,
      urlIdOf: (id) => functionAt(id)[1]!,
      startLineOf: (id) => functionAt(id)[2]!,
      startColumnOf: (id) => functionAt(id)[3]!,
      parentOf: (id) => stackAt(id)[0]!,
      functionIdOf: (id) => stackAt(id)[1]!,
      lineOf: (id) => stackAt(id)[2]!,
    },
    { strings: 0, functions: 0, stacks: 0, ...from },
    { strings: strings.length, functions: functions.length, stacks: stacks.length },
  );
}
