/**
 * A profile's call tree by functions alone, for formats that do not know the line a caller stood at: nodes of one
 * function below one parent become one. Node 0 is the root; a parent has a smaller index than its children.
 */
import type { Profile } from './profile';

export type FunctionTree = {
  /** By node of this tree; function 0 is the root's. */
  functions: number[];
  children: number[][];
  /** The node of this tree, by node of the profile. */
  indices: number[];
};

export function functionTree({ nodes, locations }: Profile): FunctionTree {
  const tree: FunctionTree = { functions: [0], children: [[]], indices: [0] };
  const known = new Map<string, number>();
  for (let node = 1; node * 2 < nodes.length; node++) {
    const parent = tree.indices[nodes[node * 2]!]!;
    const functionId = locations[nodes[node * 2 + 1]! * 2]!;
    const key = `${parent},${functionId}`;
    let index = known.get(key);
    if (index === undefined) {
      index = tree.functions.push(functionId) - 1;
      tree.children.push([]);
      tree.children[parent]!.push(index);
      known.set(key, index);
    }
    tree.indices.push(index);
  }
  return tree;
}
