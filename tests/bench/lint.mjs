// The verdicts of the official package on the files named in argv, as one JSON object on stdout.
import { readFileSync } from "node:fs";
import { validateSDL } from "@akashnetwork/chain-sdk";
import { load } from "js-yaml";

function verdict(file) {
  try {
    const problems = validateSDL(load(readFileSync(file, "utf8")), "mainnet") ?? [];
    return { file, accepted: problems.length === 0, problems };
  } catch (error) {
    return { file, accepted: false, problems: [String(error)] };
  }
}

console.log(JSON.stringify({ files: process.argv.slice(2).map(verdict) }));
