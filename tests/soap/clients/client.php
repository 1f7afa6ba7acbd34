<?php
// Every operation through PHP's SoapClient. Told by the environment: WSDL, API_KEY, APP_KEY, FLOW, WEBHOOK, UUID, SOAP.
$options = ['cache_wsdl' => WSDL_CACHE_NONE, 'soap_version' => getenv('SOAP') === '1.2' ? SOAP_1_2 : SOAP_1_1];
$client = new SoapClient(getenv('WSDL'), $options);
$keys = ['Apikey' => getenv('API_KEY'), 'Appkey' => getenv('APP_KEY'), 'Version' => '1'];
$flow = ['Flow' => getenv('FLOW')];
$uuid = getenv('UUID');

/** The code that a Fault carries in its detail, the same in both versions of SOAP. */
function code(SoapFault $fault): string {
    foreach ($fault->detail->item as $item) {
        if ($item->key === 'code') {
            return $item->value;
        }
    }
    return '';
}

function call(string $operation, array $input, ?array $credentials = null): string {
    global $client, $keys;
    try {
        $answer = $client->$operation(['AuthenticationObject' => $credentials ?? $keys] + $input);
        $answer = $answer->{$operation . 'Result'} ?? $answer;
        echo "$operation $answer->Code $answer->Id $answer->Message\n";
        return (string) $answer->Resource;
    } catch (SoapFault $fault) {
        echo "$operation fault ", code($fault), " {$fault->getMessage()}\n";
        return '';
    }
}

function base64(mixed $document): string {
    return base64_encode(json_encode($document));
}

function same(mixed $found, mixed $expected): void {
    echo $found == $expected ? "same\n" : 'different: ' . json_encode($found) . "\n";
}

echo 'operations ', count(array_unique($client->__getFunctions())), "\n";
$document = ['name' => "Zoë <&> \"q\" 漢字 😀\nline", 'n' => [1, 2.5, null, true]];
call('deleteSchema', []);
$schema = ['SchemaObject' => ['Schema' => base64(['type' => 'object']), 'DataRecord' => base64(['a' => 1])]];
call('insertSchema', $schema);
call('updateSchema', $schema);
same(json_decode(base64_decode(json_decode(call('getSchema', []), true)['schema']), true), ['type' => 'object']);
$record = ['DataRecordObject' => ['Uuid' => $uuid, 'Data' => base64($document), 'ExecutionTime' => '2099-01-01T00:00:00Z'], 'FlowDiagramObject' => $flow];
$created = json_decode(base64_decode(call('insertRecord', $record)), true);
same([$created['data_record_id'], $created['data_record']], [$uuid, $document]);
same(json_decode(call('getRecord', ['DataRecordObject' => ['Uuid' => $uuid]]), true), $document);
call('insertRecord', $record);
call('insertRecord', ['DataRecordObject' => ['Data' => base64(5)], 'FlowDiagramObject' => $flow]);
$changed = ['DataRecordObject' => ['Uuid' => $uuid, 'Data' => base64(['new' => 1])]];
same(json_decode(base64_decode(call('updateRecord', $changed)), true)['data_record'], ['new' => 1]);
call('deleteRecord', ['DataRecordObject' => ['Uuid' => $uuid]]);
call('getRecord', ['DataRecordObject' => ['Uuid' => $uuid]]);
call('getRecord', ['DataRecordObject' => ['Uuid' => $uuid]], ['Apikey' => 'wrong'] + $keys);
same(json_decode(call('getFlowDiagram', ['FlowDiagramObject' => $flow]), true)['flow_name'], $flow['Flow']);
call('changeFlowStatus', ['FlowDiagramObject' => $flow + ['Status' => 'paused']]);
call('changeFlowStatus', ['FlowDiagramObject' => $flow + ['Status' => 'running']]);
foreach ([getenv('WEBHOOK'), 'unknown'] as $uri) {
    call('webhook', ['Uri' => $uri, 'Payload' => json_encode($document)]);
}
