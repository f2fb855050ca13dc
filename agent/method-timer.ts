/**
 * A timer as a decorator of methods, in both kinds that TypeScript knows: the standard one is called with the method and a
 * context, the experimental one with the prototype, the name and a descriptor. What is no method is left as it is.
 */
import { refuse } from './refusal';

export type MethodTimer = {
  <This, Args extends unknown[], Result>(
    method: (this: This, ...args: Args) => Result,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Result>,
  ): (this: This, ...args: Args) => Result;
  (prototype: object, name: string | symbol, descriptor: PropertyDescriptor): PropertyDescriptor;
};

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

export function methodTimer(wrap: (method: AnyFunction) => AnyFunction): MethodTimer {
  const decorate = (target: unknown, context: unknown, descriptor?: PropertyDescriptor): unknown => {
    if (descriptor !== undefined) {
      const method: unknown = descriptor?.value;
      if (typeof method === 'function') return { ...descriptor, value: wrap(method as AnyFunction) };
    } else if (
      typeof target === 'function' &&
      (context as { kind?: unknown } | undefined)?.kind === 'method'
    ) {
      return wrap(target as AnyFunction);
    }
    refuse('decorator', "a timer's decorator is for methods", descriptor ?? target, 'left as it is');
    return descriptor;
  };
  return decorate as MethodTimer;
}
