/**
 * The inspector's functions of the main thread (console, url), as an expression that is evaluated there. `node:inspector`
 * is not loaded for them where it can be helped, so that its mark in process.moduleLoadList means that the program has
 * loaded it (recompile.ts asks for that). process.binding is left alone where it would warn (--pending-deprecation) and
 * where somebody has put another in its place.
 */
export const MAIN_INSPECTOR_TEXT = `(function(p){try{if(String(p.binding).indexOf('processBindingAllowList')>0){var b=p.binding('inspector');if(typeof b.url==='function'&&typeof b.console.profile==='function')return b}}catch(e){}return p.getBuiltinModule('inspector')})(process)`;
