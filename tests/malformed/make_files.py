"""Writes the malformed order files, byte for byte. Run `python tests/malformed/make_files.py` after changing one."""

import gzip
import io
import random
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

FOLDER = Path(__file__).parent / "files"
HEAD = "order,customer,date,quantity,amount\n"
ROWS = "A1,C1,2024-01-31,2,20.00\nA2,C2,2024-02-01,1,5.50\nA3,C1,2024-02-15,3,30.25\n"
GOOD = HEAD + ROWS
CHINESE = (
    "订单号,客户编号,下单日期,数量,金额,商品名称\n"
    "D001,客户甲,2024-01-31,2,20.00,红色茶杯\n"
    "D002,客户乙,2024-02-01,1,5.50,普洱茶叶礼盒\n"
    "D003,客户甲,2024-02-15,3,30.25,竹制托盘\n"
)


def encodings() -> dict[str, bytes]:
    """Return files whose bytes are not plain UTF-8."""
    western = "order;customer;date;quantity;amount;description\nA1;C1;2024-01-31;2;20,00;Müller & Söhne\nA2;C2;2024-02-01;1;5,50;Café René, 10 €\nA3;C1;2024-02-15;3;30,25;Müller & Söhne\n"
    return {
        "gb18030.csv": CHINESE.encode("gb18030"),
        "chinese_utf8.csv": CHINESE.encode(),
        "utf16_le_bom.csv": b"\xff\xfe" + GOOD.replace(",", "\t").encode("utf-16-le"),
        "utf16_be_bom.csv": b"\xfe\xff" + CHINESE.encode("utf-16-be"),
        "utf16_le_no_bom.csv": GOOD.encode("utf-16-le"),
        "cp1252.csv": western.encode("cp1252"),
        "mac_roman.csv": western.encode("mac_roman"),
        "utf8_bom.csv": b"\xef\xbb\xbf" + GOOD.encode(),
        "encoding_undecidable.csv": (HEAD.replace("amount", "amount,name") + "A1,C1,2024-01-31,2,20.00,").encode()
        + "ÄÖ\n".encode("cp1252"),
        "utf8_broken_middle.csv": (CHINESE.encode()[:-1] + b"\n").replace("普洱".encode(), b"\xe6\x99\xff\xe6\xb4\xb1"),
        "nul_bytes.csv": GOOD.encode().replace(b"A2,", b"A\x002,"),
        "big5.csv": "訂單號,客戶,日期,金額\nA1,王小明,2024-01-31,20\nA2,陳大文,2024-02-01,5\n".encode("big5"),
        "euc_kr.csv": "주문번호,고객,날짜,금액\nA1,김철수,2024-01-31,20\n".encode("euc_kr"),
        "cp1250.csv": "zamówienie,klient,data,kwota\nA1,Łukasz Żółty,2024-01-31,20\n".encode("cp1250"),
        "cp1251.csv": "Заказ,Клиент,Дата,Сумма\nA1,Иван Петров,2024-01-31,20\n".encode("cp1251"),
        "shift_jis.csv": "注文番号,顧客,日付,金額\nA1,山田太郎,2024-01-31,20\nA2,鈴木カタカナ,2024-02-01,5\n".encode("shift_jis"),
        "fullwidth_digits.csv": (HEAD + "A1,C1,２０２４－０１－３１,２,２０．００\nA2,Ｃ２,2024-02-01,1,￥5.50\n").encode(),
        "fullwidth_ids.csv": (HEAD + "A1,１００２,2024-01-31,2,20.00\nA2,1002,2024-02-01,1,5.50\n").encode(),
    }


def layouts() -> dict[str, bytes]:
    """Return files with unusual delimiters, quotes, headers and line ends."""
    named = HEAD.replace("amount", "amount,name")
    texts = {
        "semicolons_decimal_comma.csv": "order;customer;date;quantity;amount\nA1;C1;2024-01-31;2;20,00\nA2;C2;2024-02-01;1;1.005,50\nA3;C1;2024-02-15;3;30,25\n",
        "sep_line.csv": "sep=;\r\n" + GOOD.replace(",", ";").replace("\n", "\r\n"),
        "tabs.txt": GOOD.replace(",", "\t"),
        "pipes.txt": GOOD.replace(",", "|"),
        "whitespace.txt": GOOD.replace(",", "   "),
        "quoted_newlines.csv": named
        + 'A1,C1,2024-01-31,2,20.00,"first line\nsecond line"\nA2,C2,2024-13-01,1,5.50,"one, two"\nA3,C1,2024-02-15,3,30.25,plain\nA4,C1\n',
        "embedded_quotes.csv": named
        + 'A1,C1,2024-01-31,2,20.00,"the ""best"" cup, blue"\nA2,C2,2024-02-01,1,5.50,5" pipe\nA3,C1,2024-02-15,3,30.25,""\n',
        "unclosed_quote.csv": named + 'A1,C1,2024-01-31,2,20.00,cup\nA2,C2,2024-02-01,1,5.50,"pipe\nA3,C1,2024-02-15,3,30.25,tray\n',
        "two_unclosed_quotes.csv": named
        + 'A1,C1,2024-01-31,2,20.00,cup\nA2,"C2,2024-02-01,1,5.50,pipe\nA3,C1,2024-02-15,3,30.25,tray\nA4,"C4,2024-02-16,1,1.00,cup\n',
        "duplicate_headers.csv": "order,customer,date,quantity,amount,amount\nA1,C1,2024-01-31,2,20.00,25.00\n",
        "duplicate_unused_headers.csv": "order,customer,date,quantity,amount,note,note\nA1,C1,2024-01-31,2,20.00,x,y\n",
        "missing_header.csv": ROWS,
        "header_only.csv": HEAD,
        "preamble.csv": "Sales report,,,,\nShop 12; all figures in EUR\n\n" + GOOD,
        "cr_only.csv": GOOD.replace("\n", "\r"),
        "mixed_line_ends.csv": HEAD.replace("\n", "\r\n") + "A1,C1,2024-01-31,2,20.00\nA2,C2,2024-02-01,1,5.50\r\nA3,C1,2024-02-15,3,30.25",
        "blank_lines.csv": "\n" + HEAD + "\nA1,C1,2024-01-31,2,20.00\n\n,,,,\nA2,C2,2024-02-01,1,5.50\n\n\nA3,C1,yesterday,3,30.25\n\n",
        "ragged_rows.csv": HEAD + "A1,C1,2024-01-31,2,20.00\nA2,C2,2024-02-01\nA3,C1,2024-02-15,3,30.25\nA4,C4,2024-02-16,1,1,50\n",
        "trailing_commas.csv": HEAD + ROWS.replace("\n", ",\n"),
        "unquoted_decimal_commas.csv": HEAD + "A1,C1,2024-01-31,2,20,00\nA2,C2,2024-02-01,1,5,50\n",
        "subtotals_with_dates.csv": HEAD
        + "A1,C1,2024-01-31,2,20.00\nSubtotal 2024-01-31,,2024-01-31,2,20.00\nA2,Total Wine,2024-02-01,1,5.50\n"
        "A3,Total,2024-02-01,1,5.50\n合计,,2024-02-01,3,25.50\nGrand Total,,2024-02-01,3,25.50\n",
        "total_row.csv": "order;customer;date;quantity;amount\nA1;C1;2024-01-31;2;20.00\nA2;C2;2024-02-01;1;5.50\nTotal;;;3;25.50\n",
    }
    return {name: text.encode() for name, text in texts.items()}


def values() -> dict[str, bytes]:
    """Return files whose cells are hard to read."""
    rows = {
        "thousands_comma.csv": 'A1,C1,2024-01-31,2,"1,234.56"\nA2,C2,2024-02-01,1,"12,345,678.90"\nA3,C2,2024-02-01,1,"12,34.00"\n',
        "thousands_dot.csv": 'A1,C1,2024-01-31,2,"1.234,56"\nA2,C2,2024-02-01,1,"1.000"\n',
        "thousands_ambiguous.csv": 'A1,C1,2024-01-31,2,"1,234"\nA2,C2,2024-02-01,1,"2,500"\n',
        "thousands_space.csv": 'A1,C1,2024-01-31,2,"1 234,56"\nA2,C2,2024-02-01,1,"12\u00a0345,00"\nA3,C2,2024-02-01,1,"1\u202f000,00"\n',
        "thousands_apostrophe.csv": "A1,C1,2024-01-31,2,1'234.50\nA2,C2,2024-02-01,1,1\u2019000.00\n",
        "currency_signs.csv": "A1,C1,2024-01-31,2,€20.00\nA2,C2,2024-02-01,1,5.50 €\nA3,C1,2024-02-15,3,-€ 30.25\nA4,C1,2024-02-15,3,$9.00\n",
        "currency_trailing_code.csv": "A1,C1,2024-01-31,2,20.00 EUR\nA2,C2,2024-02-01,1,EUR 5.50\n",
        "currency_yen.csv": "A1,C1,2024-01-31,2,¥2000\nA2,C2,2024-02-01,1,￥550\n",
        "currency_pound_dollar.csv": "A1,C1,2024-01-31,2,£20.00\nA2,C2,2024-02-01,1,US$5.50\n",
        "parentheses.csv": "A1,C1,2024-01-31,2,20.00\nA2,C2,2024-02-01,-1,(12.50)\nA3,C2,2024-02-01,-1,5.50-\nA4,C2,2024-02-01,-1,\u22122.00\n",
        "negative_quantity.csv": "A1,C1,2024-01-31,2,20.00\nA2,C1,2024-02-03,-1,-10.00\nA3,C2,2024-02-04,-1,5.00\n",
        "excel_damaged_ids.csv": "A1,1.23E+05,2024-01-31,2,20.00\n1E5,1E5,2024-02-01,1,5.50\n2.0E+11,C1,2024-02-15,3,30.25\n",
        "ids_as_formulas.csv": 'A1,"=""0071234567890123456""",2024-01-31,2,20.00\n"=""002""",C1,2024-02-01,1,5.50\n',
        "zero_width_ids.csv": "A1,C1,2024-01-31,2,20.00\nA2,C1\u200b,2024-02-01,1,5.50\nA3,\ufeffC1,2024-02-15,3,30.25\n",
        "leading_zeros.csv": "0001,007,2024-01-31,2,20.00\n1,7,2024-02-01,1,5.50\n",
        "float_ids.csv": "1.0,17850.0,2024-01-31,2,20.00\n2.0,17850.0,2024-02-01,1,5.50\n",
        "spaces_around.csv": " A1 ,C1 , 2024-01-31 , 2, 20.00 \nA2, C1,2024-02-01,1,5.50\n",
        "five_decimals.csv": "A1,C1,2024-01-31,2,20.1234\nA2,C2,2024-02-01,1,5.12345\nA3,C2,2024-02-01,1,5.12340\n",
        "overflow.csv": "A1,C1,2024-01-31,2,99999999999999.9999\nA2,C2,2024-02-01,1,100000000000000\nA3,C2,2024-02-01,1,1"
        + "0" * 60
        + "\n",
        "scientific_amount.csv": "A1,C1,2024-01-31,2,20.00\nA2,C2,2024-02-01,1,1.2E+03\nA3,C2,2024-02-01,1,1E5\n",
        "missing_markers.csv": "A1,C1,2024-01-31,2,20.00\nA2,NULL,2024-02-01,1,5.50\nA3,N/A,2024-02-01,1,1.00\nA4,-,2024-02-01,1,1.00\n"
        "A5,C5,NaN,1,1.00\nA6,C6,2024-02-01,1,NaN\nA7,C7,2024-02-01,-,1.00\nN/A,C8,2024-02-01,1,1.00\nA9,nan,2024-02-01,1,1.00\n",
        "float_noise.csv": "4.0128e+10,C1,2024-01-31,1,2.00\nA2,C2,2024-02-01,1,4.440892e-16\nA3,C2,2024-02-01,1,0.30000000000000004\nA4,C2,2024-02-01,1,2.00\n",
        "not_numbers.csv": "A1,C1,2024-01-31,two,20.00\nA2,C2,2024-02-01,1,inf\nA3,C2,2024-02-01,1,0x10\nA4,C2,2024-02-01,1,1_000\nA5,C2,2024-02-01,1,--5\n",
        "zero_quantity.csv": "A1,C1,2024-01-31,0,20.00\nA2,C2,2024-02-01,1,0.00\n",
        "formulas.csv": "A1,=1+1,2024-01-31,2,20.00\nA2,@SUM(A1),2024-02-01,1,=2+3\n",
        "order_of_two_customers.csv": "A1,C1,2024-01-31,2,20.00\nA1,C2,2024-01-31,1,5.50\nA1,C1,2024-01-31,3,30.25\n",
        "order_on_two_days.csv": "A1,C1,2024-01-31,2,20.00\nA1,C1,2024-03-31,1,5.50\nA1,C1,2024-02-01,1,1.00\n",
        "identical_rows.csv": "A1,C1,2024-01-31,2,20.00\nA1,C1,2024-01-31,2,20.00\n",
    }
    files = {name: (HEAD + text).encode() for name, text in rows.items()}
    price = "order,customer,date,quantity,unit_price\n"
    files["price_times_quantity.csv"] = (price + "A1,C1,2024-01-31,3,0.3333\nA2,C1,2024-01-31,0.5,0.3333\n").encode()
    with_currency = "order,customer,date,quantity,amount,currency\nA1,C1,2024-01-31,2,20.00,EUR\nA2,C2,2024-02-01,1,5.50,USD\nA3,C2,2024-02-01,1,5.50,\n"
    files["currency_column.csv"] = with_currency.encode()
    of_order = (
        "order,customer,date,quantity,amount,currency\nA1,C1,2024-01-31,2,20.00,USD\nA1,,2024-01-31,1,5.50,\nA2,C2,2024-02-01,1,1.00,\n"
    )
    files["currency_of_order.csv"] = of_order.encode()
    files["cancelled_status.csv"] = (
        b"order,customer,date,quantity,amount,status\nA1,C1,2024-01-31,2,20.00,Completed\nA2,C2,2024-02-01,1,5.50,Cancelled\nA2,C2,2024-02-01,1,4.50,\nA3,C1,2024-02-15,3,30.25,completed\n"
    )
    return files


def dates() -> dict[str, bytes]:
    """Return files whose dates need a decision."""
    columns = {
        "dates_ambiguous.csv": ["01/02/2024", "03/04/2024", "05/06/2024"],
        "dates_day_first.csv": ["01/02/2024", "31/01/2024", "05/06/2024"],
        "dates_month_first.csv": ["01/02/2024", "01/31/2024", "05/06/2024"],
        "dates_both_orders.csv": ["01/02/2024", "31/01/2024", "01/31/2024"],
        "dates_two_formats.csv": ["1/20/2024", "2024-01-05", "12/11/2024"],
        "dates_impossible.csv": ["31/02/2024", "29/02/2024", "29/02/2023"],
        "dates_dotted.csv": ["1.2.2024", "31.1.2024 08:05", "5.6.24"],
        "dates_chinese.csv": ["2024年1月31日", "2024年2月1日", "2024年12月5日 08:30"],
        "dates_month_names.csv": ["31-Jan-2024", "1 Feb 2024", "February 15, 2024"],
        "dates_compact.csv": ["20240131", "20240201", "20241301"],
        "dates_excel_serial.csv": ["45322", "45323", "45337.5"],
        "dates_far_future.csv": ["2024-01-31", "2024-02-01", "2099-01-01"],
        "dates_before_1970.csv": ["2024-01-31", "1900-01-00", "1969-12-31"],
        "dates_zones.csv": ["2024-01-31T20:30:00Z", "2024-01-31 23:30:00 -0500", "2024-02-01T00:10:00+08:00"],
        "dates_hour_24.csv": ["2024-01-31 23:59:60", "2024-01-31 24:00:00", "2024-01-31 10:61:00"],
    }
    amounts = ("20.00", "5.50", "30.25")
    files = {}
    for name, days in columns.items():
        lines = [f'A{at + 1},C{at + 1},"{day}",1,{amounts[at]}\n' for at, day in enumerate(days)]
        files[name] = (HEAD + "".join(lines)).encode()
    return files


def workbook(sheets: dict[str, list[list[Any]]], hidden: str = "") -> bytes:
    """Return an .xlsx with these sheets; datetimes become date cells, texts like #REF! errors."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm"})
    book.set_properties({"created": datetime(2024, 1, 1)})
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        if title == hidden:
            sheet.hide()
        elif hidden:
            sheet.activate()
            sheet.set_first_sheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, str) and cell.startswith("#"):
                    sheet.write_formula(at, column, "=Gone!A1", value=cell)
                elif isinstance(cell, str):
                    sheet.write_string(at, column, cell)
                elif cell is not None:
                    sheet.write(at, column, cell)
    book.close()
    return buffer.getvalue()


def workbooks() -> dict[str, bytes]:
    """Return Excel files."""
    head = ["order", "customer", "date", "quantity", "amount"]
    text_rows = [line.split(",") for line in ROWS.splitlines()]
    typed = [
        [100001, "007", datetime(2024, 2, 1, 9, 30), 2, 20.0],
        [100002, "1E5", datetime(2024, 1, 12), 1, 0.1 + 0.2],
        ["A3", 12345678901234567890, datetime(2024, 1, 13), 1, 1.0],
        ["A4", "C4", "13/01/2024", 1, 1.5],
        ["A5", "C5", 45322, 1, 1.0],
    ]
    return {
        "notes_then_orders.xlsx": workbook({"Notes": [["Exported by the shop"], ["All amounts in EUR"]], "Orders": [head, *text_rows]}),
        "two_order_sheets.xlsx": workbook({"January": [head, text_rows[0]], "February": [head, *text_rows[1:]]}),
        "header_in_row_4.xlsx": workbook(
            {"Orders": [["Sales report 2024"], [], ["Shop", 12], head, *text_rows, ["A4", "C4", "soon", "1", "1.00"]]}
        ),
        "summary_sheet.xlsx": workbook(
            {"Summary": [["Month", "Orders", "Sum"], ["Jan", 1, 20], ["Feb", 2, 35.75]], "Data": [head, *text_rows]}
        ),
        "hidden_sheet.xlsx": workbook({"Old": [head, text_rows[0]], "Orders": [head, *text_rows]}, hidden="Old"),
        "error_cells.xlsx": workbook({"Orders": [head, ["A1", "#REF!", "2024-01-31", 2, 20.0], ["A2", "C2", "2024-02-01", 1, 5.5]]}),
        "typed_cells.xlsx": workbook({"Orders": [head, *typed]}),
        "empty_sheets.xlsx": workbook({"Sheet1": [], "Sheet2": []}),
    }


def not_tables() -> dict[str, bytes]:
    """Return files that are no order table at all, whatever their names say."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(zipfile.ZipInfo("orders.csv", (2024, 1, 1, 0, 0, 0)), GOOD)
    zipped = gzip.compress(GOOD.encode() * 40, mtime=0)
    return {
        "empty.csv": b"",
        "only_blank_lines.csv": b"\r\n\r\n  \n",
        "binary_noise.csv": random.Random(20240131).randbytes(5000),
        "zip_named.csv": archive.getvalue(),
        "pdf_named.csv": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        "png_named.csv": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02",
        "html_named.xls": b"<html><body><table><tr><td>order</td><td>amount</td></tr></table></body></html>",
        "json_named.csv": b'[{"order": "A1", "customer": "C1", "date": "2024-01-31", "amount": 20.0}]',
        "orders.csv.gz": gzip.compress(GOOD.encode(), mtime=0),
        "truncated.csv.gz": zipped[: len(zipped) - 12],
        "prose.csv": b"Dear colleague,\nplease find the orders attached.\nKind regards\n",
    }


def files() -> dict[str, bytes]:
    """Return name -> content of every malformed file."""
    return encodings() | layouts() | values() | dates() | workbooks() | not_tables()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in files().items():
        FOLDER.joinpath(name).write_bytes(content)
