/** Limits of the layout as u32: enum members are i32 and do not compare with unsigned values. */
import { CoreLimit, CoreRegion, MergedWord, SampleState } from './layout';

export const OCTAVES: u32 = CoreLimit.Octaves;
export const SUB_BUCKETS: u32 = CoreLimit.SubBuckets;
/** Key of the last bucket. */
export const LAST_KEY: u32 = CoreLimit.Octaves * CoreLimit.SubBuckets;
/** 2^50: what values beyond the last octave count as. */
export const HIGHEST_VALUE: f64 = 1125899906842624;
/** What the sum of a thread's histogram is kept in: 2^-40 and its inverse. */
export const SUM_UNIT: f64 = 1.0 / 1099511627776.0;
export const SUM_UNITS: f64 = 1099511627776;
export const DROP_KINDS: u32 = CoreLimit.DropKinds;
export const CLAIM_RECORDS: u32 = CoreLimit.ClaimRecords;
export const CHUNK_BYTES: u32 = CoreLimit.ChunkBytes;
export const ARENA_END: u32 = CoreRegion.End;
export const MERGED_PAGE_BYTES: u32 = MergedWord.PageBytes;
export const RECENT_STACKS: u32 = CoreLimit.ColumnRecentStacks;
export const STEP_LOOKS: u32 = CoreLimit.ColumnStepLooks;
export const LENGTH_BYTES: u32 = CoreLimit.ColumnLengthBytes;
export const LAST_STACK_ID: u32 = CoreLimit.ColumnStackId;
export const LAST_STATE: u32 = SampleState.Blocked;
