/** Why a source map cannot be used: a phrase that goes on after its file's name. */
export class SourceMapError extends Error {
  readonly code = 'ERR_SOURCE_MAP';
}
