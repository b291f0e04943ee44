// Prints where Terraform or OpenTofu is, as a variable of a shell. OpenTofu is built first where there is neither.
import { ensureTool } from '../dev/install-tool.mjs';
import { opentofu } from '../dev/pinned-tools.mjs';
import { findTool } from '../dev/tools.mjs';

const path = findTool('tofu') ?? findTool('terraform') ?? (await ensureTool(opentofu));
console.log(`TERRAFORM='${path.replaceAll("'", `'\\''`)}'`);
