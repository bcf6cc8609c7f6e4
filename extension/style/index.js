import '@jupyter/chat/style/index.css';
import './panel.css';
import './plan.css';
import './waves.css';
import './plot.css';
