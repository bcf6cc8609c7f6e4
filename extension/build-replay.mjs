// Builds the replay's player, three.js in it, into one file: JupyterLab loads it from our server, and it stands in
// every page that `wavebook replay` writes.
import path from 'node:path';
import process from 'node:process';

import { rspack } from '@rspack/core';

const here = import.meta.dirname;

rspack(
  {
    mode: 'production',
    target: ['web', 'es2022'],
    entry: path.join(here, 'lib/replay/player.js'),
    output: {
      path: path.join(here, '../kernel_tools/wavebook_tools/replay/static'),
      filename: 'player.js',
      library: { name: 'WavebookReplay', type: 'window' }
    },
    // A page holds the file inside of a script element.
    plugins: [
      new rspack.BannerPlugin({ banner: '/*! three.js: MIT licence, threejs.org */', raw: true })
    ],
    performance: { hints: false }
  },
  (error, stats) => {
    if (error || stats.hasErrors()) {
      process.stderr.write(`${error ?? stats.toString('errors-only')}\n`);
      process.exitCode = 1;
    }
  }
);
