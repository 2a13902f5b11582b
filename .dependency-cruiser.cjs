// Imports point one way (docs/architecture.md): core <- media, sip, sentences <- speech, dialogue, banking <- call
// <- adapters <- app <- main. Adapters never import each other.
const rooms = (names) => `^src/(${names.join('|')})/`;
const may = (room, allowed) => ({
  name: `${room}-imports-downwards`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: rooms([room, ...allowed]).replace('/)', ')/') },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-orphan-tests-in-src', severity: 'error', from: { path: '^src/' }, to: { path: '^(tests|scripts)/' } },
    may('core', []),
    may('sentences', ['core']),
    may('media', ['core']),
    may('sip', ['core']),
    may('speech', ['core', 'media', 'sentences']),
    may('dialogue', ['core', 'media', 'sentences']),
    may('banking', ['core', 'sentences', 'dialogue']),
    may('call', ['core', 'media', 'sip', 'sentences', 'speech', 'dialogue', 'banking']),
    may('frontends', ['core', 'media', 'sip', 'call']),
    may('store', ['core', 'dialogue', 'banking', 'call']),
    may('http', ['core', 'media', 'banking', 'call']),
    may('console', []),
    may('demo-bank', ['core']),
    {
      name: 'only-the-root-composes',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/app/' },
      to: { path: '^src/((app|main|config)\\.ts$|app/)' },
    },
    {
      name: 'parts-of-the-root-do-not-know-it',
      severity: 'error',
      from: { path: '^src/app/' },
      to: { path: '^src/(app|main)\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.cjs', '.mjs', '.json'] },
  },
};
