import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { EventSourceParserStream } from 'eventsource-parser/stream';

import type {
  Answer,
  Decision,
  IApproval,
  IBudget,
  IChatMessage,
  ICheckedChanges,
  IComparison,
  IConversationInfo,
  IDeviceLoad,
  ILogPart,
  IMetrics,
  INight,
  INightRequest,
  IPlanChanges,
  IProject,
  IRequest,
  IRunDetails,
  ISendOptions,
  IServer,
  ITemplate,
  IWave,
  RunEvent
} from './tokens';

interface IConversations {
  conversations: IConversationInfo[];
}

/** An answer of the server that is not a success; the message is for a person. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number
  ) {
    super(message);
    this.name = 'ServerError';
  }
}

/** Wavebook's server extension. The one place that calls it. */
export class Server implements IServer {
  constructor(
    readonly settings: ServerConnection.ISettings,
    private _trans: TranslationBundle
  ) {}

  /** The address of a file that the server extension serves, such as BokehJS. */
  static fileUrl(settings: ServerConnection.ISettings, path: string): string {
    return URLExt.join(settings.baseUrl, 'wavebook', path);
  }

  project(): Promise<IProject> {
    return this._json('project');
  }

  async waves(): Promise<IWave[]> {
    return (await this._json<{ waves: IWave[] }>('waves')).waves;
  }

  async approvals(): Promise<IApproval[]> {
    return (await this._json<{ approvals: IApproval[] }>('approvals')).approvals;
  }

  decide(
    approval: number,
    decision: Decision,
    why: string,
    changes: IPlanChanges | null = null
  ): Promise<IApproval> {
    return this._json(`approvals/${approval}`, { decision, why, changes });
  }

  checkChanges(approval: number, changes: IPlanChanges): Promise<ICheckedChanges> {
    return this._json(`approvals/${approval}/check`, { changes });
  }

  async requests(): Promise<IRequest[]> {
    return (await this._json<{ requests: IRequest[] }>('requests')).requests;
  }

  answerRequest(request: number, decision: 'allow' | 'deny'): Promise<IRequest> {
    return this._json(`requests/${request}`, { decision });
  }

  async night(): Promise<INight | null> {
    return (await this._json<{ night: INight | null }>('night')).night;
  }

  async nightTerms(asked: INightRequest): Promise<string> {
    return (await this._json<{ terms: string }>('night/terms', asked)).terms;
  }

  async grantNight(asked: INightRequest): Promise<INight | null> {
    return (await this._json<{ night: INight | null }>('night', asked)).night;
  }

  async stopNight(): Promise<INight | null> {
    const answer = await this._request('night', { method: 'DELETE' });
    return ((await answer.json()) as { night: INight | null }).night;
  }

  async cancelRun(run: string): Promise<string[]> {
    return (await this._json<{ cancelled: string[] }>(`runs/${run}/cancel`, {})).cancelled;
  }

  async cancelWave(wave: number): Promise<string[]> {
    return (await this._json<{ cancelled: string[] }>(`waves/${wave}/cancel`, {})).cancelled;
  }

  run(run: string): Promise<IRunDetails> {
    return this._json(`runs/${run}`);
  }

  metrics(run: string, points: number): Promise<IMetrics> {
    return this._json(`runs/${run}/metrics?points=${points}`);
  }

  events(run: string, start: number): Promise<{ events: RunEvent[]; end: number }> {
    return this._json(`runs/${run}/events?start=${start}`);
  }

  log(run: string, start: number | null): Promise<ILogPart> {
    return this._json(`runs/${run}/log${start === null ? '' : `?start=${start}`}`);
  }

  async retryRun(run: string, resume: boolean): Promise<string[]> {
    return (await this._json<{ queued: string[] }>(`runs/${run}/retry`, { resume })).queued;
  }

  async retryWave(wave: number, resume: boolean): Promise<string[]> {
    return (await this._json<{ queued: string[] }>(`waves/${wave}/retry`, { resume })).queued;
  }

  async setPriority(run: string, priority: number): Promise<void> {
    await this._json(`runs/${run}/priority`, { priority });
  }

  async setDevices(run: string, devices: string[]): Promise<void> {
    await this._json(`runs/${run}/devices`, { devices });
  }

  async devices(): Promise<IDeviceLoad[]> {
    return (await this._json<{ devices: IDeviceLoad[] }>('gpus')).devices;
  }

  comparison(waves: number[]): Promise<IComparison> {
    return this._json(`comparison?waves=${waves.join(',')}`);
  }

  comparisonCurves(
    waves: number[],
    metrics: string[],
    window: [number, number] | null
  ): Promise<object> {
    const query = new URLSearchParams({ waves: waves.join(',') });
    metrics.forEach(metric => query.append('metric', metric));
    if (window) {
      query.set('from', String(window[0]));
      query.set('to', String(window[1]));
    }
    return this._json(`comparison/curves?${query.toString()}`);
  }

  async comparisonPage(waves: number[]): Promise<Blob> {
    const path = `comparison/page?waves=${waves.join(',')}`;
    return (await this._request(path, { cache: 'no-store' })).blob();
  }

  async messages(): Promise<IChatMessage[]> {
    return (await this._json<{ messages: IChatMessage[] }>('chat')).messages;
  }

  async *send(
    body: string,
    signal: AbortSignal,
    options: ISendOptions = {}
  ): AsyncIterable<Answer> {
    const response = await this._request('chat', {
      method: 'POST',
      body: JSON.stringify({ body, ...options }),
      headers: { Accept: 'text/event-stream' },
      signal
    });
    if (!response.body) {
      throw new ServerError(this._trans.__('The server sent an empty answer.'), response.status);
    }
    const reader = response.body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, BufferSource>)
      .pipeThrough(new EventSourceParserStream())
      .getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          return;
        }
        yield JSON.parse(value.data) as Answer;
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  async clearChat(): Promise<void> {
    await this._request('chat', { method: 'DELETE' });
  }

  async conversations(): Promise<IConversationInfo[]> {
    return (await this._json<IConversations>('conversations')).conversations;
  }

  async changeConversation(
    conversation: number,
    change: { title?: string; open?: boolean }
  ): Promise<IConversationInfo[]> {
    return (await this._json<IConversations>(`conversations/${conversation}`, change))
      .conversations;
  }

  async deleteConversation(conversation: number): Promise<IConversationInfo[]> {
    const answer = await this._request(`conversations/${conversation}`, { method: 'DELETE' });
    return ((await answer.json()) as IConversations).conversations;
  }

  async budget(): Promise<IBudget | null> {
    return (await this._json<{ budget: IBudget | null }>('budget')).budget;
  }

  async grantBudget(runs: number, hours: number): Promise<IBudget | null> {
    const body = { runs, gpu_hours: hours };
    return (await this._json<{ budget: IBudget | null }>('budget', body)).budget;
  }

  async revokeBudget(): Promise<void> {
    await this._request('budget', { method: 'DELETE' });
  }

  async replay(run: string): Promise<string> {
    return (await this._request(`runs/${run}/replay`, { cache: 'no-store' })).text();
  }

  async templates(): Promise<ITemplate[]> {
    return (await this._json<{ templates: ITemplate[] }>('templates')).templates;
  }

  copyTemplate(template: string, name: string | null): Promise<ITemplate> {
    return this._json(`templates/${encodeURIComponent(template)}/copy`, { name });
  }

  private async _json<T>(path: string, body?: unknown): Promise<T> {
    const init: RequestInit =
      body === undefined ? { cache: 'no-store' } : { method: 'POST', body: JSON.stringify(body) };
    return (await (await this._request(path, init)).json()) as T;
  }

  private async _request(path: string, init: RequestInit): Promise<Response> {
    const url = URLExt.join(this.settings.baseUrl, 'wavebook', 'api', path);
    const response = await ServerConnection.makeRequest(url, init, this.settings).catch(reason => {
      if (init.signal?.aborted) {
        throw reason;
      }
      // What a browser says of a server out of reach («Failed to fetch») tells nobody what to do.
      throw new ServerError(
        this._trans.__(
          'JupyterLab cannot reach its server. See that it runs, then try again; runs go on without it.'
        ),
        0
      );
    });
    if (response.ok) {
      return response;
    }
    let message = `${response.status} ${response.statusText}`;
    try {
      message = ((await response.json()) as { message?: string }).message ?? message;
    } catch {
      // A proxy answered with a page of its own: its status says more than its text.
    }
    throw new ServerError(message, response.status);
  }
}
