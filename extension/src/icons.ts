import { LabIcon } from '@jupyterlab/ui-components';

import comparisonSvg from '../style/icons/comparison.svg';
import deviceSvg from '../style/icons/device.svg';
import runSvg from '../style/icons/run.svg';
import waveSvg from '../style/icons/wave.svg';

export const waveIcon = new LabIcon({ name: 'wavebook:wave', svgstr: waveSvg });

export const comparisonIcon = new LabIcon({ name: 'wavebook:comparison', svgstr: comparisonSvg });

export const deviceIcon = new LabIcon({ name: 'wavebook:device', svgstr: deviceSvg });

export const runIcon = new LabIcon({ name: 'wavebook:run', svgstr: runSvg });
