/** The entry of msgpackr that neither compiles code at run time nor looks for its addon comes without types of its own. */
declare module 'msgpackr/index-no-eval' {
  export { Packr, Unpackr } from 'msgpackr';
}
