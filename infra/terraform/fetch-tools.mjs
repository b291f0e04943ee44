// Prints the path of Terraform or OpenTofu as a shell variable. If there is neither, builds OpenTofu first.
import { ensureTool } from '../dev/install-tool.mjs';
import { opentofu } from '../dev/pinned-tools.mjs';
import { findTool } from '../dev/tools.mjs';

const path = findTool('tofu') ?? findTool('terraform') ?? (await ensureTool(opentofu));
console.log(`TERRAFORM='${path.replaceAll("'", `'\\''`)}'`);
