// Draws a board as Grafana would: its own components and its own arithmetic of units, thresholds and words, in the
// places of the board. Panels are plugins of Grafana's server; stat, bargauge, timeseries and table do little more
// than call what is called here. The state timeline is not published: it is drawn here, with Grafana's colours.
import {
  applyFieldOverrides, createTheme, dateTime, DisplayProcessor, Field, FieldConfigOptionsRegistry,
  FieldConfigSource, FieldType, getDisplayProcessor, getDisplayValueAlignmentFactors, getFieldDisplayName,
  getFieldDisplayValues, GrafanaTheme2, identityOverrideProcessor, FieldDisplay, FieldConfigPropertyItem, DataFrame,
  standardTransformers, standardTransformersRegistry, TimeRange, toDataFrame, transformDataFrame, VizOrientation,
} from "@grafana/data";
import { LegendDisplayMode } from "@grafana/schema";
import {
  BarGauge, BigValue, GlobalStyles, PanelChrome, Table, ThemeContext, TimeSeries, UPlotConfigBuilder, VizLegend,
  VizRepeater,
} from "@grafana/ui";
import { ReactNode, useLayoutEffect } from "react";
import { createRoot } from "react-dom/client";
import { lastValueFrom, of } from "rxjs";

interface Series { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }
interface Target { expr: string; refId: string; legendFormat: string; format: string; instant: boolean }
interface Answer { panel: number; target: Target | null; result: Series[] }
interface Panel {
  id: number; type: string; title: string; description: string; options: any; fieldConfig: FieldConfigSource<any>;
  gridPos: { x: number; y: number; w: number; h: number }; transformations?: any[]; links?: { title: string }[];
}
interface Seen { document: { title: string; panels: Panel[] }; answers: Answer[]; begin: number; end: number; step: number }
interface Size { width: number; height: number }

const GAP = 8;
const ROW = 30;
const PHONE = 768; // below it Grafana puts panels under one another
const PROPERTIES = "unit min max decimals displayName displayNameFromDS noValue color thresholds mappings links".split(" ");
const CUSTOM = (
  "lineStyle lineWidth lineInterpolation drawStyle fillOpacity showPoints spanNulls stacking thresholdsStyle width minWidth align " +
  "axisPlacement axisLabel axisSoftMin axisSoftMax scaleDistribution hideFrom cellOptions"
).split(" ");

const registry = new FieldConfigOptionsRegistry(() => [
  ...PROPERTIES.map((id) => property(id, false)),
  ...CUSTOM.map((id) => property(id, true)),
]);

function property(id: string, isCustom: boolean): FieldConfigPropertyItem {
  const path = isCustom ? `custom.${id}` : id;
  return {
    id: path, path: id, name: id, isCustom, editor: () => null, override: () => null,
    process: identityOverrideProcessor, shouldApply: () => true,
  } as unknown as FieldConfigPropertyItem;
}

const { organizeFieldsTransformer: organize } = standardTransformers;
standardTransformersRegistry.setInit(() => [
  { id: organize.id, name: organize.name, transformation: organize, editor: () => null } as any,
]);

const nameOf = (metric: Record<string, string>, legend: string): string =>
  legend
    ? legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? "") || "{}"
    : `{${Object.entries(metric).map(([label, value]) => `${label}="${value}"`).join(", ")}}`;

/** A frame a series, as the Prometheus data source makes them. */
function frameOf(series: Series, target: Target, interval: number): DataFrame {
  const points = series.values ?? [series.value!];
  return toDataFrame({
    refId: target.refId,
    fields: [
      // Where a point is missing after an interval, the panel draws a gap.
      { name: "Time", type: FieldType.time, values: points.map(([at]) => at * 1000), config: { interval } },
      {
        // As the panel does: what is not a number is a gap.
        name: "Value", type: FieldType.number, labels: series.metric,
        values: points.map(([, value]) => (Number.isFinite(Number(value)) ? Number(value) : null)),
        config: { displayNameFromDS: nameOf(series.metric, target.legendFormat) },
      },
    ],
  });
}

/** One frame with a column a label, as the data source does for tables. */
function tableOf(answer: Answer): DataFrame {
  const labels = [...new Set(answer.result.flatMap((series) => Object.keys(series.metric)))].sort();
  return toDataFrame({
    refId: answer.target!.refId,
    fields: [
      { name: "Time", type: FieldType.time, values: answer.result.map((series) => series.value![0] * 1000) },
      ...labels.map((label) => ({
        name: label, type: FieldType.string, values: answer.result.map((series) => series.metric[label] ?? ""),
      })),
      { name: "Value", type: FieldType.number, values: answer.result.map((series) => Number(series.value![1])) },
    ],
  });
}

async function framesOf(panel: Panel, seen: Seen, theme: GrafanaTheme2): Promise<DataFrame[]> {
  const answers = seen.answers.filter((answer) => answer.panel === panel.id && answer.target);
  const raw = panel.type === "table"
    ? answers.filter((answer) => answer.result.length).map(tableOf)
    : answers.flatMap((answer) => answer.result.map((series) => frameOf(series, answer.target!, seen.step)));
  const data = await lastValueFrom(transformDataFrame(panel.transformations ?? [], raw)) as DataFrame[];
  return applyFieldOverrides({
    data, fieldConfig: panel.fieldConfig, replaceVariables: (text) => text, theme, timeZone: "utc",
    fieldConfigRegistry: registry,
  });
}

function Nothing({ panel }: { panel: Panel }): ReactNode {
  // What a panel shows that got no frame at all; the stat and bar gauge say `noValue` of a single empty field.
  return <div className="nothing">{panel.fieldConfig.defaults.noValue ?? "No data"}</div>;
}

function displays(panel: Panel, frames: DataFrame[], theme: GrafanaTheme2): FieldDisplay[] {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text,
    theme, data: frames, timeZone: "utc",
  });
}

function Repeated({ panel, frames, theme, size }: { panel: Panel; frames: DataFrame[]; theme: GrafanaTheme2; size: Size }) {
  const bars = panel.type === "bargauge";
  return (
    <VizRepeater
      {...size} source={frames} renderCounter={1} autoGrid={!bars} itemSpacing={bars ? 8 : 3}
      getValues={() => displays(panel, frames, theme)} getAlignmentFactors={getDisplayValueAlignmentFactors}
      minVizWidth={bars ? 8 : undefined} minVizHeight={bars ? 16 : undefined} maxVizHeight={bars ? 300 : undefined}
      orientation={bars ? VizOrientation.Horizontal : VizOrientation.Auto}
      renderValue={({ value, width, height, alignmentFactors, count, orientation }) => bars
        ? <BarGauge
            value={value.display} width={width} height={height} orientation={orientation} field={value.field}
            display={getDisplayProcessor({ field: { config: value.field } as Field, theme })} theme={theme}
            itemSpacing={8} displayMode={panel.options.displayMode} showUnfilled={panel.options.showUnfilled}
            valueDisplayMode={panel.options.valueMode} namePlacement={panel.options.namePlacement}
            alignmentFactors={alignmentFactors as any} isOverflow={false}
          />
        : <BigValue
            value={value.display} width={width} height={height} theme={theme} count={count}
            colorMode={panel.options.colorMode} graphMode={panel.options.graphMode}
            justifyMode={panel.options.justifyMode} textMode={panel.options.textMode}
            alignmentFactors={alignmentFactors as any}
          />}
    />
  );
}

/** Incidents as Grafana marks them: a dashed line at the time. */
function Marks({ builder, at, color }: { builder: UPlotConfigBuilder; at: number[]; color: string }) {
  useLayoutEffect(() => {
    builder.addHook("draw", (plot) => {
      plot.ctx.save();
      plot.ctx.strokeStyle = color;
      plot.ctx.setLineDash([5, 5]);
      for (const time of at) {
        const x = plot.valToPos(time, "x", true);
        plot.ctx.beginPath();
        plot.ctx.moveTo(x, plot.bbox.top);
        plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
        plot.ctx.stroke();
      }
      plot.ctx.restore();
    });
  }, [builder]);
  return null;
}

function incidents(seen: Seen): number[] {
  const marks = seen.answers.filter((answer) => !answer.target).flatMap((answer) => answer.result);
  const times = marks.flatMap((series) => series.values!.map(([, value]) => Number(value)));
  return [...new Set(times)].filter((time) => time >= seen.begin && time <= seen.end);
}

/** Not Grafana's: runs of equal values as bars, a row a series, with the words and colours of the field. */
function StateTimeline({ panel, frames, theme, size, seen }:
  { panel: Panel; frames: DataFrame[]; theme: GrafanaTheme2; size: Size; seen: Seen }) {
  const step = (frame: DataFrame) => Math.min(60_000, frame.length > 1 ? frame.fields[0].values[1] - frame.fields[0].values[0] : 60_000);
  const place = (at: number) => `${((at - seen.begin) / (seen.end - seen.begin)) * 100}%`;
  const rows = frames.map((frame) => {
    const [time, value] = frame.fields;
    const runs: { from: number; to: number; value: number }[] = [];
    value.values.forEach((each: number, index: number) => {
      const at = time.values[index], last = runs[runs.length - 1];
      if (last && last.value === each && at - last.to <= step(frame)) last.to = at + step(frame);
      else runs.push({ from: at, to: at + step(frame), value: each });
    });
    return { name: getFieldDisplayName(value, frame, frames), display: value.display as DisplayProcessor, runs };
  });
  const legend = panel.fieldConfig.defaults.mappings?.flatMap((mapping: any) => Object.values(mapping.options)) ?? [];
  const height = size.height - 48, row = Math.min(80, height / rows.length);
  return (
    <div>
      <div style={{ display: "grid", gridTemplateColumns: "max-content 1fr", fontSize: 12, height, overflow: "hidden" }}>
        {rows.map(({ name, display, runs }) => [
          <div key={name} style={{ padding: "0 8px", lineHeight: `${row}px`, height: row, overflow: "hidden" }}>{name}</div>,
          <div key={`${name}.`} style={{ position: "relative", height: row, overflow: "hidden" }}>
            {runs.map((run) => {
              const shown = display(run.value);
              const pixels = ((run.to - run.from) / (seen.end - seen.begin)) * (size.width - 160);
              return (
                <div key={run.from} style={{
                  position: "absolute", left: place(run.from), top: row * 0.05, height: row * 0.9, overflow: "hidden",
                  width: `calc(${place(run.to)} - ${place(run.from)})`, background: shown.color, opacity: 0.8,
                  lineHeight: `${row * 0.9}px`, color: theme.colors.getContrastText(shown.color!), whiteSpace: "nowrap",
                }}>{pixels > 7 * shown.text.length ? shown.text : ""}</div>
              );
            })}
          </div>,
        ])}
      </div>
      <VizLegend placement="bottom" displayMode={LegendDisplayMode.List} items={legend.map((each: any) => ({
        label: each.text, color: theme.visualization.getColorByName(each.color), yAxis: 1,
      }))} />
    </div>
  );
}

function Picture(props: { panel: Panel; frames: DataFrame[]; theme: GrafanaTheme2; size: Size; seen: Seen }): ReactNode {
  const { panel, frames, theme, size, seen } = props;
  const range: TimeRange = {
    from: dateTime(seen.begin), to: dateTime(seen.end), raw: { from: dateTime(seen.begin), to: dateTime(seen.end) },
  };
  if (panel.type === "stat" || panel.type === "bargauge") return <Repeated {...props} />;
  if (!frames.some((frame) => frame.length)) return <Nothing panel={panel} />;
  if (panel.type === "table") return <Table data={frames[0]} {...size} initialSortBy={panel.options.sortBy} cellHeight={panel.options.cellHeight} />;
  if (panel.type === "state-timeline") return <StateTimeline {...props} />;
  return (
    <TimeSeries frames={frames} timeRange={range} timeZone="utc" legend={panel.options.legend} {...size}>
      {(builder) => <Marks builder={builder} at={incidents(seen)} color={theme.visualization.getColorByName("red")} />}
    </TimeSeries>
  );
}

function Board({ seen, frames, theme }: { seen: Seen; frames: Map<number, DataFrame[]>; theme: GrafanaTheme2 }) {
  const across = window.innerWidth - 2 * GAP, column = (across + GAP) / 24, isPhone = window.innerWidth < PHONE;
  const bottom = Math.max(...seen.document.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <main style={{ position: "relative", margin: GAP, height: isPhone ? undefined : bottom * (ROW + GAP) }}>
      <h4>{seen.document.title}</h4>
      {seen.document.panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos;
        const width = isPhone ? across : w * column - GAP, height = h * (ROW + GAP) - GAP;
        return (
          <div key={panel.id} data-title={panel.title} style={isPhone
            ? { marginBottom: GAP } : { position: "absolute", left: x * column, top: 32 + y * (ROW + GAP) }}>
            <PanelChrome title={panel.title} description={panel.description} width={width} height={height}>
              {(width, height) => (
                <Picture panel={panel} frames={frames.get(panel.id)!} theme={theme} size={{ width, height }} seen={seen} />
              )}
            </PanelChrome>
          </div>
        );
      })}
    </main>
  );
}

async function draw(seen: Seen, mode: "dark" | "light"): Promise<void> {
  const theme = createTheme({ colors: { mode } });
  const frames = new Map<number, DataFrame[]>();
  for (const panel of seen.document.panels) frames.set(panel.id, await framesOf(panel, seen, theme));
  document.body.style.background = theme.colors.background.canvas;
  createRoot(document.getElementById("board")!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Board seen={seen} frames={frames} theme={theme} />
    </ThemeContext.Provider>,
  );
}

(window as any).draw = draw;
