/**
 * What a Bokeh document may hold when nobody vouches for it. A notebook from elsewhere must not run code or load
 * anything because it was opened, so models are admitted by name: BokehJS has many that run code (CustomJS and its
 * kind), open addresses, load pictures or write HTML.
 */

const SAFE_MODELS: ReadonlySet<string> = new Set(
  `
  Figure Plot GridPlot Row Column GridBox Spacer HBox VBox
  LinearAxis LogAxis CategoricalAxis DatetimeAxis TimedeltaAxis Grid
  Range1d DataRange1d FactorRange LinearScale LogScale CategoricalScale
  BasicTicker AdaptiveTicker LogTicker FixedTicker SingleIntervalTicker CategoricalTicker DatetimeTicker
  DaysTicker MonthsTicker YearsTicker CompositeTicker TimedeltaTicker
  BasicTickFormatter LogTickFormatter CategoricalTickFormatter DatetimeTickFormatter NumeralTickFormatter
  PrintfTickFormatter TimedeltaTickFormatter
  AllLabels NoOverlap
  ColumnDataSource CDSView AllIndices IndexFilter BooleanFilter GroupFilter IntersectionFilter
  Selection UnionRenderers IntersectRenderers GlyphRenderer RendererGroup
  Line MultiLine Step Segment Scatter Circle Marker VBar HBar VArea HArea VAreaStep HAreaStep Patch Patches Quad Rect
  Block HSpan VSpan HStrip VStrip Ray Wedge AnnularWedge Annulus Arc Ellipse Text Bezier Quadratic Image ImageRGBA
  HexTile
  Title Legend LegendItem Label LabelSet Span Slope Band Whisker BoxAnnotation PolyAnnotation Arrow ColorBar
  NormalHead OpenHead VeeHead TeeHead
  LinearColorMapper LogColorMapper CategoricalColorMapper EqHistColorMapper CategoricalMarkerMapper
  CategoricalPatternMapper
  Dodge Jitter Stack CumSum
  Toolbar ToolbarPanel ToolProxy PanTool WheelPanTool WheelZoomTool BoxZoomTool BoxSelectTool LassoSelectTool
  PolySelectTool TapTool ResetTool SaveTool UndoTool RedoTool ZoomInTool ZoomOutTool HoverTool CrosshairTool
  FullscreenTool HelpTool
  BoxInteractionHandles AreaVisuals InlineStyleSheet Node IndexedPoint Percent DocumentConfig Notifications
  `
    .trim()
    .split(/\s+/)
);

/** Text that loads something, or that BokehJS writes into the page unescaped. */
const UNSAFE_TEXT = /url\s*\(|image-set\s*\(|@import|\{safe\}|javascript:/i;

/** The names of all models in a Bokeh document. */
export function modelNames(item: unknown): Set<string> {
  const names = new Set<string>();
  visit(item, object => {
    if (object.type === 'object' && typeof object.name === 'string') {
      names.add(object.name);
    }
  });
  return names;
}

/** What keeps a document from being drawn unless it is trusted, in one word or two; null where nothing does. */
export function refusal(item: unknown): string | null {
  let reason: string | null = null;
  visit(
    item,
    object => {
      const { type, name, attributes } = object as {
        type?: unknown;
        name?: unknown;
        attributes?: { tooltips?: unknown; redirect?: unknown };
      };
      if (type === 'object' && typeof name === 'string') {
        if (!SAFE_MODELS.has(name)) {
          reason ??= name;
        } else if (typeof attributes?.tooltips === 'string') {
          reason ??= 'HTML tooltips';
        } else if (attributes?.redirect !== undefined) {
          reason ??= 'a link'; // of a help button; Bokeh's own is not written down
        }
      }
      if ('defs' in object && Array.isArray(object.defs) && object.defs.length > 0) {
        reason ??= 'model definitions';
      }
    },
    text => {
      if (UNSAFE_TEXT.test(text)) {
        reason ??= 'links or HTML';
      }
    }
  );
  return reason;
}

function visit(
  value: unknown,
  onObject: (object: Record<string, unknown>) => void,
  onText?: (text: string) => void
): void {
  if (Array.isArray(value)) {
    value.forEach(item => visit(item, onObject, onText));
  } else if (typeof value === 'object' && value !== null) {
    onObject(value as Record<string, unknown>);
    Object.values(value).forEach(item => visit(item, onObject, onText));
  } else if (typeof value === 'string') {
    onText?.(value);
  }
}
