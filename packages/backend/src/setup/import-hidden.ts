/**
 * Imports a module that only Node can load, out of sight of bundlers: they would try to resolve it for the browser.
 *
 * @param specifier package name or URL.
 */
export async function importHidden<T>(specifier: string): Promise<T> {
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as T;
}
