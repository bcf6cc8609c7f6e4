import '@jupyter/chat/style/index.css';
import './panel.css';
import './plan.css';
import './waves.css';
import 'uplot/dist/uPlot.min.css';
import './run.css';
import './devices.css';
import './plot.css';
