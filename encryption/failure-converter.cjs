// CommonJS: Temporal's SDK loads it with `require`, and bundles it with the workflows, which run in a sandbox.
const { DefaultFailureConverter } = require('@temporalio/common');

/** Puts messages and stacks of failures into a payload, where a codec encrypts them. */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
