import { defineConfig, type UserConfig } from 'tsdown';

/** The one build setup of every package: ES modules, declarations by isolated declarations, no minifying. */
export function packageBuild(entry: Record<string, string>, options: UserConfig = {}): UserConfig {
  return defineConfig({
    entry,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    dts: { oxc: true },
    clean: true,
    fixedExtension: false,
    // `src` ships too, so that debuggers show it.
    sourcemap: true,
    hash: false,
    tsconfig: '../../tsconfig.base.json',
    external: [/^node:/],
    inputOptions: { resolve: { conditionNames: ['import', 'default'] } },
    ...options,
  }) as UserConfig;
}
