// CommonJS: Temporal's SDK loads it with `require`, and bundles it with the workflows, which run in a sandbox.
const { DefaultFailureConverter } = require('@temporalio/common');

/**
 * Puts messages and stacks of failures into a payload, where a codec encrypts them. Not those that say which key is missing: whoever lacks
 * the others' key would encrypt with one that the others lack, and the workflow that is told of it could never go on.
 */
class EncodingFailureConverter extends DefaultFailureConverter {
  #plain = new DefaultFailureConverter();

  /**
   * @override
   * @param {unknown} error
   * @param {import('@temporalio/common').PayloadConverter} payloadConverter
   * @param {import('@temporalio/common').SerializationContext} [context]
   */
  errorToFailure(error, payloadConverter, context) {
    return isKeyMissing(error)
      ? this.#plain.errorToFailure(error, payloadConverter, context)
      : super.errorToFailure(error, payloadConverter, context);
  }
}

/**
 * Itself, or as the SDK wraps it.
 *
 * @param {any} error
 */
const isKeyMissing = (error) => [error?.constructor?.name, error?.type].includes('KeyMissing');

exports.failureConverter = new EncodingFailureConverter({ encodeCommonAttributes: true });
