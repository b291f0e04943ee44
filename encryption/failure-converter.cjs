// CommonJS: Temporal's SDK loads it with `require`, and bundles it with the workflows, which run in a sandbox.
const { DefaultFailureConverter } = require('@temporalio/common');

/**
 * Moves messages and stack traces of failures into a payload, where a codec encrypts them. Exception: failures about a
 * missing key. A process that lacks the others' key would encrypt them with one that the others may lack, and the
 * workflow could never continue.
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
 * The error itself, or the SDK's wrapper of it.
 *
 * @param {any} error
 */
const isKeyMissing = (error) => [error?.constructor?.name, error?.type].includes('KeyMissing');

exports.failureConverter = new EncodingFailureConverter({ encodeCommonAttributes: true });
