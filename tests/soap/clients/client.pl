#!/usr/bin/perl
# Every operation through SOAP::Lite, which types what it sends by itself: numbers as integers, texts outside ASCII as
# base64. Told by the environment: WSDL, URL, API_KEY, APP_KEY, FLOW, WEBHOOK, UUID.
use strict;
use warnings;
use utf8;
use Encode;
use JSON::PP;
use MIME::Base64;
use SOAP::Lite;

binmode STDOUT, ':utf8';
my $json = JSON::PP->new->canonical;
my %keys = (Apikey => $ENV{API_KEY}, Appkey => $ENV{APP_KEY}, Version => 1);
my $flow = decode('UTF-8', $ENV{FLOW});
my $uuid = decode('UTF-8', $ENV{UUID});
my $client = SOAP::Lite->uri('Flowize')->proxy($ENV{URL})->on_action(sub { join '#', @_ });
$client->service($ENV{WSDL});
$client->on_fault(sub { my ($soap, $answer) = @_; die(ref $answer ? $answer : $soap->transport->status . "\n") });

sub call {
    my ($operation, $given, $credentials) = @_;
    my %input = (%$given, AuthenticationObject => $credentials // \%keys);
    my $answer = eval { $client->call($operation, SOAP::Data->name(input => \%input))->result };
    if (!$answer) {
        my $fault = $@;
        die $fault unless ref $fault;
        print "$operation fault ", $fault->faultcode, ' ', $fault->faultstring, "\n";
        return '';
    }
    print "$operation $answer->{Code} $answer->{Id} $answer->{Message}\n";
    return $answer->{Resource} // '';
}

sub encoded { return encode_base64($json->utf8->encode($_[0])) }
sub decoded { return $json->utf8->decode(decode_base64($_[0])) }
sub read_text { return JSON::PP->new->decode($_[0]) }

sub same {
    my ($found, $expected) = map { JSON::PP->new->canonical->encode($_) } @_;
    print $found eq $expected ? "same\n" : "different: $found\n";
}

my $document = { name => "Zoë <&> \"q\" 漢字 😀\nline", n => [1, 2.5, undef, JSON::PP::true] };
call('deleteSchema', {});
my $schema = { SchemaObject => { Schema => encoded({ type => 'object' }), DataRecord => encoded({ a => 1 }) } };
call('insertSchema', $schema);
call('updateSchema', $schema);
same(decoded(read_text(call('getSchema', {}))->{schema}), { type => 'object' });
my $record = { DataRecordObject => { Uuid => $uuid, Data => encoded($document), ExecutionTime => '2099-01-01T00:00:00Z' }, FlowDiagramObject => { Flow => $flow } };
my $created = decoded(call('insertRecord', $record));
same([$created->{data_record_id}, $created->{data_record}], [$uuid, $document]);
same(read_text(call('getRecord', { DataRecordObject => { Uuid => $uuid } })), $document);
call('insertRecord', $record);
call('insertRecord', { DataRecordObject => { Data => encode_base64('5') }, FlowDiagramObject => { Flow => $flow } });
my $changed = { DataRecordObject => { Uuid => $uuid, Data => encoded({ new => 1 }) } };
same(decoded(call('updateRecord', $changed))->{data_record}, { new => 1 });
call('deleteRecord', { DataRecordObject => { Uuid => $uuid } });
call('getRecord', { DataRecordObject => { Uuid => $uuid } });
call('getRecord', { DataRecordObject => { Uuid => $uuid } }, { %keys, Apikey => 'wrong' });
same(read_text(call('getFlowDiagram', { FlowDiagramObject => { Flow => $flow } }))->{flow_name}, $flow);
call('changeFlowStatus', { FlowDiagramObject => { Flow => $flow, Status => 'paused' } });
call('changeFlowStatus', { FlowDiagramObject => { Flow => $flow, Status => 'running' } });
for my $uri ($ENV{WEBHOOK}, 'unknown') {
    call('webhook', { Uri => $uri, Payload => $json->encode($document) });
}
