curl -s -X POST 'http://127.0.0.1:8765/v1/record' -H 'Content-Type: application/json' \
  -H 'X-Apikey: 6b71ee82bfce4a34de202a9c4b7b073da02f790ba9432f17c3f3f78aaaeee0b4' -H 'X-App: ab661bef8593a071946dac56d0501225' \
  -H 'X-Flow: client_intake' \
  -d '{"client":[{"uuid":"c-1001","name":"De Vries Fietsen","street":"Keizersgracht","house_number":true,"postcode":"1015 CJ","age":34,"country":true,"raw_data":true,"post_id":"","post_text":"","post_url":true,"accounts":[{"dossier_no":"D-77","iban":"NL91ABNA0417164300","bic":"ABNANL2A","payment_method":"transfer","invoices":[{"invoice_date":"2026-01-15","invoice_number":"2026-0001","amount":"149.95","expiration_date":"2026-02-14"}]}]}]}'

