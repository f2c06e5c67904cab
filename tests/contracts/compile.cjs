// Writes <Contract>.hex, the runtime bytecode, beside each <Contract>.sol. Needs npm `solc` 0.8:
//   npm install --prefix .tools --no-save solc@0.8.30 && NODE_PATH=.tools/node_modules node tests/contracts/compile.cjs
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const sources = {};
for (const name of fs.readdirSync(__dirname).filter((name) => name.endsWith(".sol")))
  sources[name] = { content: fs.readFileSync(path.join(__dirname, name), "utf8") };

// Without the metadata hash the same source gives the same bytes on every machine.
const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "paris",
  metadata: { appendCBOR: false },
  outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
};
const answer = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
for (const problem of answer.errors || []) console.error(problem.formattedMessage);

for (const contracts of Object.values(answer.contracts))
  for (const [name, contract] of Object.entries(contracts))
    fs.writeFileSync(path.join(__dirname, `${name}.hex`), `0x${contract.evm.deployedBytecode.object}\n`);
