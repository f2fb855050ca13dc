/** What the core exports. */
export { allocate } from './arena';
export { keyOf, midpointOf } from './buckets';
export { cellAdd, cellCreate, cellRead, cellSet } from './cells';
export { columnsDecode, columnsEncode } from './columns';
export { histogramCreate, histogramDelta, histogramRecordApart } from './histogram';
export {
  mergedAdd,
  mergedClear,
  mergedCreate,
  mergedEncode,
  mergedFree,
  mergedMerge,
  mergedQuantiles,
  mergedRecord,
  mergedRecordMany,
} from './merged';
export { peek, push, release } from './ring';
export { treeClear, treeInit, treeIntern } from './stacks';
