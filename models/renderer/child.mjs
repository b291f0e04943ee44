import { runProgram } from '../../infra/build/program.mjs';

await runProgram('models/renderer/child.ts');
