// Are these files PowerShell, as far as a grammar of it can tell? node powershell.mjs FILE... A stand-in for PowerShell's own
// parser, which is not to be had everywhere: it finds what is not closed or stands where nothing can, not what has no meaning.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Language, Parser } from 'web-tree-sitter';

const require = createRequire(import.meta.url);
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm')));

let faults = 0;
function walk(node, file, lines) {
    if (node.isError || node.isMissing) {
        faults++;
        console.log(`${file}:${node.startPosition.row + 1}: ${lines[node.startPosition.row].trim().slice(0, 100)}`);
    } else if (node.hasError) {
        for (const child of node.children) walk(child, file, lines);
    }
}
for (const file of process.argv.slice(2)) {
    // A file of comments alone is a script for PowerShell, and none for the grammar.
    const text = `${readFileSync(file, 'utf8')}\n$null\n`;
    walk(parser.parse(text).rootNode, file, text.split('\n'));
}
process.exit(faults === 0 ? 0 : 1);
