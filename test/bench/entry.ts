/** What the benches measure of our own code; harness/bundle.mjs bundles it into build/bench. */
export { Dictionary } from '../../agent/aggregator/dictionary';
export { InlinedCallees } from '../../agent/aggregator/inlined-callees';
export { readProfile } from '../../agent/aggregator/profile-reader';
export { attachReader, attachWriter, createCoreMemory, createTables } from '../../agent/core';
export { timer } from '../../agent/index';
export { currentBinding } from '../../agent/registration';
export { encodeMessage } from '../../agent/wire/encode';
export { CoreRegion, TablesHeader } from '../../assembly/layout';
export { Load } from '../../collector/cli/demo/load';
export { BatchDecoder } from '../../collector/ingest/decode-batch';
export { Epoch } from '../../collector/ingest/epoch';
export { decodeMessage } from '../../collector/ingest/msgpack';
export { mergeProfiles } from '../../collector/profile/merge';
export { encodePprof } from '../../collector/profile/pprof';
export { Profile } from '../../collector/profile/profile';
export { profileHead } from '../../collector/profile/tick-profile';
export { WindowProfile } from '../../collector/query/window-profile';
