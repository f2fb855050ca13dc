/** The frames of one stack at a time as plain data, for who has no numbers for them. */
import type { ThreadFrame } from '../thread-data';
import type { StackNumbers } from './creation-stack';

export class FrameList implements StackNumbers {
  readonly #without: readonly string[];
  #frames: ThreadFrame[] = [];

  /** without: frames of these scripts are left out. */
  constructor(without: readonly string[]) {
    this.#without = without;
  }

  frame(site: NodeJS.CallSite): number {
    const url = site.getScriptNameOrSourceURL() ?? '';
    if (!this.#without.includes(url))
      this.#frames.push([site.getFunctionName() ?? '', url, site.getLineNumber() ?? 0]);
    return this.#frames.length;
  }

  stack(_parent: number, frame: number): number {
    return frame;
  }

  /** Root first; the list is empty then. */
  take(): ThreadFrame[] {
    const taken = this.#frames;
    this.#frames = [];
    return taken;
  }
}
