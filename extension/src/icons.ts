import { LabIcon } from '@jupyterlab/ui-components';

import comparisonSvg from '../style/icons/comparison.svg';
import waveSvg from '../style/icons/wave.svg';

export const waveIcon = new LabIcon({ name: 'wavebook:wave', svgstr: waveSvg });

export const comparisonIcon = new LabIcon({ name: 'wavebook:comparison', svgstr: comparisonSvg });
