// Every operation through npm's soap. Told by the environment: WSDL, API_KEY, APP_KEY, FLOW, WEBHOOK, UUID, SOAP.
const soap = require('soap');
const { isDeepStrictEqual } = require('node:util');

const { WSDL, API_KEY, APP_KEY, FLOW, WEBHOOK, UUID, SOAP } = process.env;
const KEYS = { Apikey: API_KEY, Appkey: APP_KEY, Version: '1' };
const flow = { Flow: FLOW };

const text = (value) => (value && typeof value === 'object' ? value.$value ?? '' : value ?? '');
const encoded = (document) => Buffer.from(JSON.stringify(document)).toString('base64');
const decoded = (data) => JSON.parse(Buffer.from(data, 'base64').toString());
const same = (found, expected) =>
  console.log(isDeepStrictEqual(found, expected) ? 'same' : `different: ${JSON.stringify(found)}`);

// What a Fault of either version says: the code in its detail, and its text.
function said(error) {
  const fault = error.root.Envelope.Body.Fault;
  const items = [].concat((fault.detail ?? fault.Detail).item);
  const value = (key) => text(items.find((item) => text(item.key) === key).value);
  return `${value('code')} ${value('message')}`;
}

async function main() {
  const client = await soap.createClientAsync(WSDL, SOAP === '1.2' ? { forceSoap12Headers: true } : {});
  async function call(operation, given, credentials = KEYS) {
    try {
      const [answer] = await client[`${operation}Async`]({ input: { AuthenticationObject: credentials, ...given } });
      const result = answer[`${operation}Result`];
      console.log(`${operation} ${text(result.Code)} ${text(result.Id)} ${text(result.Message)}`);
      return text(result.Resource);
    } catch (error) {
      if (!error.root) throw error;
      console.log(`${operation} fault ${said(error)}`);
      return '';
    }
  }

  const [port] = Object.values(Object.values(client.describe())[0]);
  console.log('operations', Object.keys(port).length);
  const document = { name: 'Zoë <&> "q" 漢字 😀\nline', n: [1, 2.5, null, true] };
  await call('deleteSchema', {});
  const schema = { SchemaObject: { Schema: encoded({ type: 'object' }), DataRecord: encoded({ a: 1 }) } };
  await call('insertSchema', schema);
  await call('updateSchema', schema);
  same(decoded(JSON.parse(await call('getSchema', {})).schema), { type: 'object' });
  const record = { DataRecordObject: { Uuid: UUID, Data: encoded(document), ExecutionTime: '2099-01-01T00:00:00Z' }, FlowDiagramObject: flow };
  const created = decoded(await call('insertRecord', record));
  same([created.data_record_id, created.data_record], [UUID, document]);
  same(JSON.parse(await call('getRecord', { DataRecordObject: { Uuid: UUID } })), document);
  await call('insertRecord', record);
  await call('insertRecord', { DataRecordObject: { Data: encoded(5) }, FlowDiagramObject: flow });
  const changed = { DataRecordObject: { Uuid: UUID, Data: encoded({ new: 1 }) } };
  same(decoded(await call('updateRecord', changed)).data_record, { new: 1 });
  await call('deleteRecord', { DataRecordObject: { Uuid: UUID } });
  await call('getRecord', { DataRecordObject: { Uuid: UUID } });
  await call('getRecord', { DataRecordObject: { Uuid: UUID } }, { ...KEYS, Apikey: 'wrong' });
  same(JSON.parse(await call('getFlowDiagram', { FlowDiagramObject: flow })).flow_name, FLOW);
  await call('changeFlowStatus', { FlowDiagramObject: { ...flow, Status: 'paused' } });
  await call('changeFlowStatus', { FlowDiagramObject: { ...flow, Status: 'running' } });
  for (const uri of [WEBHOOK, 'unknown']) {
    await call('webhook', { Uri: uri, Payload: JSON.stringify(document) });
  }
}

main();
