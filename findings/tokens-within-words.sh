#!/usr/bin/env bash
# Hugging Face's JavaScript tokenizers find added tokens that should match only whole words (single_word) inside other
# words too, and so return other ids than the Rust library for the same file. Seen with @huggingface/tokenizers 0.2.0
# and tokenizers 0.23.3. Exits with 1 if this has changed. Needs Node with npm and Python 3.10 or later with pip, Linux
# or macOS.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >package.json <<'END'
{ "name": "finding", "private": true, "type": "module", "dependencies": { "@huggingface/tokenizers": "0.2.0" } }
END
cat >package-lock.json <<'END'
{
  "name": "finding",
  "lockfileVersion": 3,
  "packages": {
    "": { "name": "finding", "dependencies": { "@huggingface/tokenizers": "0.2.0" } },
    "node_modules/@huggingface/tokenizers": {
      "version": "0.2.0",
      "integrity": "sha512-LidMHe1FpcSYH4vcSjXooda34pC0M8m1gmDOv7SQi6Iv+ib1zX7J3sHBCC9/3FPCkn2k1b55FneVqMRxrr99pg=="
    }
  }
}
END
npm ci --silent --ignore-scripts --no-audit --no-fund

# The publisher's builds: for Linux and macOS, on x64 and arm64.
cat >requirements.txt <<'END'
tokenizers==0.23.3 \
  --hash=sha256:376851d22bcf9d650a5c3090bb83e6cf9e895fbf0595369fa4cd43c1f69b5f87 \
  --hash=sha256:ec82e80e65a862275b97c3d90b7a523df8d9519ee48aeb4e9625b2cc909274e0 \
  --hash=sha256:9d2b5c97daf61688c2ad1803ca851800feaba50fb68d5821779e9ea5880d968c \
  --hash=sha256:68649e97d5b43c44c031d8d848874a6eecae8f8fe40ea989aa777a5a83aca716
END
python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target python --requirement requirements.txt

cat >rust.py <<'END'
import json
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
alphabet = pre_tokenizers.ByteLevel.alphabet()
tokenizer.train_from_iterator([], trainers.BpeTrainer(initial_alphabet=alphabet, show_progress=False))
tokenizer.add_tokens([AddedToken("cat", single_word=True, normalized=False)])
tokenizer.save("tokenizer.json")
texts = ["cat", "a cat.", "concatenate", "cats", "cat_"]
json.dump([[text, Tokenizer.from_file("tokenizer.json").encode(text).ids] for text in texts], open("rust.json", "w"))
END
PYTHONPATH=python python3 rust.py

cat >compare.js <<'END'
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), {});
let differ = 0;
for (const [text, rust] of read('rust.json')) {
  const { ids } = tokenizer.encode(text);
  const isSame = ids.join() === rust.join();
  if (!isSame) differ += 1;
  console.log(`${isSame ? 'same' : 'other'}: ${text}: Rust ${rust}, JavaScript ${ids}`);
}
console.log(`${differ} of the texts have other ids`);
process.exitCode = differ > 0 ? 0 : 1;
END
if ! node compare.js; then
  echo 'changed: the ids are the same'
  exit 1
fi
echo 'as described'
